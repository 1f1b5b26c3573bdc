"""Fills the cloud, idempotently, through its own APIs. Called by up.sh.

seed.py identity
seed.py contents AZ_1 AZ_2 FRESH NOVA_MANAGE
FRESH is the time the newest nova-compute was started, 0 when none was.
"""

import datetime
import os
import pathlib
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

import openstack
import yaml

T0 = time.monotonic()
SERVICES = [
    ("nova", "compute", "/v2.1"),
    ("placement", "placement", ""),
    ("glance", "image", ""),
    ("neutron", "network", ""),
]
PORTS = {name: os.environ["P_" + name.upper()] for name, _, _ in SERVICES}
CUSTOMERS = {"customer-a": ("anna", ["web-1", "web-2", "db-1"]), "customer-b": ("boris", ["shop-1"])}


def say(text):
    print(f"      seed {time.monotonic() - T0:5.1f}s  {text}", flush=True)


def until(what, check, limit=120, pause=0.5):
    end = time.monotonic() + limit
    while True:
        try:
            value = check()
            if value:
                return value
            last = "not yet"
        except Exception as e:  # a service still starting
            last = repr(e)
        if time.monotonic() > end:
            sys.exit(f"waited {limit} s for {what}: {last}")
        time.sleep(pause)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status < 400
    except urllib.error.HTTPError as e:  # Glance's root is a 300
        return e.code < 400


def since(stamp):
    return datetime.datetime.fromisoformat(stamp).replace(tzinfo=datetime.timezone.utc).timestamp()


def settled(server):
    if server.status == "ERROR":
        sys.exit(f"{server.name}: {server.fault}")
    return server.status == "ACTIVE" and server.task_state is None


def identity():
    clouds = yaml.safe_load(pathlib.Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text())["clouds"]
    auth_url = clouds["admin"]["auth"]["auth_url"]
    until("keystone", lambda: answers(auth_url))
    admin = openstack.connect(cloud="admin")
    say("keystone answers")

    # --- identity
    idn = admin.identity
    default = "default"
    roles = {r.name: r for r in idn.roles()}
    if "service" not in roles:
        roles["service"] = idn.create_role(name="service")
    projects = {p.name: p for p in idn.projects()}
    for name in ("service", *CUSTOMERS):
        if name not in projects:
            projects[name] = idn.create_project(name=name, domain_id=default)
    users = {u.name: u for u in idn.users()}

    def user(name, project, *grants, password=None):
        if name not in users:
            users[name] = idn.create_user(
                name=name, domain_id=default, password=password, default_project_id=projects[project].id
            )
            for role in grants:
                idn.assign_project_role_to_user(projects[project], users[name], roles[role])

    for name, _, _ in SERVICES:
        user(name, "service", "admin", "service", password="service")
    user("desk", "service", "admin", password="desk")
    for project, (name, _) in CUSTOMERS.items():
        user(name, project, "member", password=name)
    services = {s.type: s for s in idn.services()}
    endpoints = {(e.service_id, e.interface) for e in idn.endpoints()}
    for name, kind, path in SERVICES:
        if kind not in services:
            services[kind] = idn.create_service(name=name, type=kind)
        for interface in ("public", "internal"):
            if (services[kind].id, interface) not in endpoints:
                idn.create_endpoint(
                    service_id=services[kind].id,
                    interface=interface,
                    region_id="RegionOne",
                    url=f"http://127.0.0.1:{PORTS[name]}{path}",
                )
    say("users, projects, catalog")


def contents(az1, az2, fresh, nova_manage):
    admin = openstack.connect(cloud="admin")
    for name, _, _ in SERVICES:
        until(name, lambda: answers(f"http://127.0.0.1:{PORTS[name]}/"))
    say("every API answers")

    # --- image, flavors
    image = admin.image.find_image("tiny")
    if not image or image.status != "active":
        image = image or admin.image.create_image(
            name="tiny",
            disk_format="raw",
            container_format="bare",
            visibility="public",
            data=b"\0" * 512,
            validate_checksum=False,
        )
    for name, ram, vcpus, disk in (("m1.tiny", 512, 1, 1), ("m1.small", 2048, 2, 20)):
        if not admin.compute.find_flavor(name):
            admin.compute.create_flavor(name=name, ram=ram, vcpus=vcpus, disk=disk)
    say("image and flavors")

    # --- hosts and zones
    hosts = {f"compute-{az}": az for az in (az1, az2)}
    # A heartbeat of before a restart does not count: messages to that host would be lost.
    until(
        "nova-compute up",
        lambda: (
            {
                s.host
                for s in admin.compute.services()
                if s.binary == "nova-compute" and s.state == "up" and since(s.updated_at) > float(fresh)
            }
            >= set(hosts)
        ),
    )
    say("both nova-computes up")
    known = {h.name for h in admin.compute.hypervisors()}
    if not known >= set(hosts):
        subprocess.run(
            [*shlex.split(nova_manage), "cell_v2", "discover_hosts"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("hypervisors", lambda: {h.name for h in admin.compute.hypervisors()} >= set(hosts))
    aggregates = {a.name: a for a in admin.compute.aggregates()}
    for host, az in hosts.items():
        agg = aggregates.get(az) or admin.compute.create_aggregate(name=az, availability_zone=az)
        if host not in (agg.hosts or []):
            admin.compute.add_host_to_aggregate(agg, host)
    until("network agents", lambda: len([a for a in admin.network.agents() if a.is_alive]) >= 6)
    say("hosts in their zones, network agents alive")

    # --- networks
    ext = admin.network.find_network("public")
    if not ext:
        ext = admin.network.create_network(
            name="public", is_router_external=True, provider_network_type="flat", provider_physical_network="physnet1"
        )
        admin.network.create_subnet(
            name="public", network_id=ext.id, ip_version=4, cidr="203.0.113.0/24", is_dhcp_enabled=False
        )

    # --- what each customer has
    for i, (project, (_, names)) in enumerate(CUSTOMERS.items()):
        own = openstack.connect(cloud=project)
        net = own.network.find_network(f"{project}-net")
        if not net:
            net = own.network.create_network(name=f"{project}-net")
            own.network.create_subnet(
                name=f"{project}-subnet", network_id=net.id, ip_version=4, cidr=f"10.{10 + i}.0.0/24"
            )
        have = {s.name: s for s in own.compute.servers()}
        flavor = own.compute.find_flavor("m1.tiny")
        made = []
        for n, name in enumerate(names):
            if name not in have:
                made.append(
                    own.compute.create_server(
                        name=name,
                        image_id=image.id,
                        flavor_id=flavor.id,
                        networks=[{"uuid": net.id}],
                        availability_zone=(az1, az2)[n % 2],
                    )
                )
            elif fresh != "0" and have[name].status in ("ACTIVE", "REBOOT", "HARD_REBOOT"):
                # The fake hypervisor keeps its machines in memory: a hard reboot makes them anew.
                own.compute.reboot_server(have[name], "HARD")
                made.append(have[name])
        for server in made:
            # Not wait_for_server: it believes the status of the object it is given.
            until(server.name, lambda: settled(own.compute.get_server(server.id)), limit=180)
        say(f"{project}: " + ", ".join(f"{s.name} {s.status} in {s.availability_zone}" for s in own.compute.servers()))


{"identity": identity, "contents": contents}[sys.argv[1]](*sys.argv[2:])
