"""Proves, with openstacksdk, what the desk's jobs need of the running cloud, and times it.

Run it with any Python that has openstacksdk:
    OS_CLIENT_CONFIG_FILE=/tmp/ostack/clouds.yaml python check.py
Prints one line a step and ends with 1 when a step fails. It leaves the cloud as it was.
"""

import sys
import time
import uuid

import openstack
from keystoneauth1 import exceptions as ka
from openstack import exceptions as sdk

desk = openstack.connect(cloud="desk")
anna = openstack.connect(cloud="customer-a")
failed = []


def step(name, call, want=None, repeat=1):
    took = []
    try:
        for _ in range(repeat):
            t = time.perf_counter()
            value = call()
            took.append((time.perf_counter() - t) * 1e3)
        ok, seen = (want(value) if want else True), ""
        if not ok:
            seen = f"got {value!r}"
    except Exception as e:
        value, ok, seen = None, False, repr(e)[:200]
        took.append((time.perf_counter() - t) * 1e3)
    took.sort()
    ms = took[len(took) // 2]
    print(
        f"{'ok ' if ok else 'BAD'} {ms:8.1f} ms{f' (median of {repeat})' if repeat > 1 else '':15s}  {name} {seen}",
        flush=True,
    )
    if not ok:
        failed.append(name)
    return value


def refused(status, call):
    try:
        call()
    except (sdk.HttpException, ka.HttpError) as e:
        got = getattr(e, "status_code", None) or getattr(e, "http_status", None)
        if got == status:
            return True
        raise
    return False


def settle(server, status="ACTIVE", limit=60):
    """Polls as the adapter will: until the status is there and no task runs."""
    seen, end = [], time.monotonic() + limit
    while time.monotonic() < end:
        s = desk.compute.get_server(server.id)
        state = f"{s.status}/{s.task_state}"
        if state not in seen:
            seen.append(state)
        if s.status == status and s.task_state is None:
            return seen
        if s.status == "ERROR" != status:
            break
        time.sleep(0.2)
    raise RuntimeError(f"never {status}: {seen}")


def fip_active(fip, limit=20):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if desk.network.get_ip(fip.id).status == "ACTIVE":
            return True
        time.sleep(0.2)
    return False


def ports_active(owner, limit=20):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        states = [p.status for p in desk.network.ports(device_id=owner.id)]
        if states and set(states) == {"ACTIVE"}:
            return states
        time.sleep(0.2)
    raise RuntimeError(f"ports of {owner.name}: {states}")


# --- reading
step("token: POST /v3/auth/tokens", lambda: openstack.connect(cloud="desk").authorize(), bool, repeat=5)
project = step("find the customer's project", lambda: desk.identity.find_project("customer-a"), bool)
servers = step(
    "list the customer's servers, all details",
    lambda: list(desk.compute.servers(all_projects=True, project_id=project.id)),
    lambda v: len(v) >= 2,
    repeat=5,
)
vm = next(s for s in servers if s.name == "web-1")
other = next(s for s in servers if s.availability_zone != vm.availability_zone)
step("get one server", lambda: desk.compute.get_server(vm.id), bool, repeat=5)
step(
    "availability zones of Nova",
    lambda: sorted(z.name for z in desk.compute.availability_zones() if z.state["available"]),
    lambda v: len(v) >= 2,
    repeat=5,
)
step(
    "availability zones of Neutron",
    lambda: sorted({(z.name, z.resource) for z in desk.network.availability_zones()}),
    lambda v: len(v) == 4,
    repeat=5,
)

# --- hard reboot
step("hard reboot: the call", lambda: desk.compute.reboot_server(vm, "HARD"))
seen = step("hard reboot: poll to ACTIVE", lambda: settle(vm), bool)
print("      states seen:", seen)
action = step(
    "hard reboot: its record", lambda: next(iter(desk.compute.server_actions(vm))), lambda a: a.action == "reboot"
)
step(
    "hard reboot of a server that is not there is 404",
    lambda: refused(404, lambda: desk.compute.reboot_server(str(uuid.uuid4()), "HARD")),
    bool,
)


def soft_while_hard():
    desk.compute.reboot_server(vm, "HARD")
    try:
        return refused(409, lambda: desk.compute.reboot_server(vm, "SOFT"))
    finally:
        settle(vm)


step("soft reboot during a hard one is 409 (or the hard one was over)", soft_while_hard)

# --- lock, unlock
step("lock with a reason", lambda: desk.compute.lock_server(vm, locked_reason="unpaid"))
step("  ... is seen", lambda: desk.compute.get_server(vm.id), lambda s: s.is_locked and s.locked_reason == "unpaid")
step("  ... and its owner's reboot is 409", lambda: refused(409, lambda: anna.compute.reboot_server(vm, "HARD")), bool)
step("  ... and its owner may not unlock: 403", lambda: refused(403, lambda: anna.compute.unlock_server(vm)), bool)
step("unlock", lambda: desk.compute.unlock_server(vm))
step("  ... is seen", lambda: desk.compute.get_server(vm.id), lambda s: not s.is_locked)
step("unlock again is no error", lambda: desk.compute.unlock_server(vm))

# --- stop, start
step("stop: the call", lambda: desk.compute.stop_server(vm))
step("stop: poll to SHUTOFF", lambda: settle(vm, "SHUTOFF"), bool)
step("stop again is 409", lambda: refused(409, lambda: desk.compute.stop_server(vm)), bool)
step("start: the call", lambda: desk.compute.start_server(vm))
step("start: poll to ACTIVE", lambda: settle(vm), bool)
step("reset-state to error", lambda: desk.compute.reset_server_state(vm, "error"))
step("  ... is seen", lambda: desk.compute.get_server(vm.id), lambda s: s.status == "ERROR")
step("reset-state to active", lambda: desk.compute.reset_server_state(vm, "active"))

# --- quotas
before = step("quota-set: get", lambda: desk.compute.get_quota_set(project.id), bool, repeat=5)
try:
    step(
        "quota-set: put instances=3 cores=7",
        lambda: desk.compute.update_quota_set(project.id, instances=len(servers), cores=7),
        repeat=3,
    )
    step(
        "  ... is seen by the customer",
        lambda: anna.compute.get_quota_set(project.id),
        lambda q: q.instances == len(servers) and q.cores == 7,
    )
    net = anna.network.find_network("customer-a-net")
    step(
        "  ... and one server too many is 403",
        lambda: refused(
            403,
            lambda: anna.compute.create_server(
                name="too-many",
                image_id=anna.image.find_image("tiny").id,
                flavor_id=anna.compute.find_flavor("m1.tiny").id,
                networks=[{"uuid": net.id}],
            ),
        ),
        bool,
    )
    step(
        "quota-set: the customer's own put is 403",
        lambda: refused(403, lambda: anna.compute.update_quota_set(project.id, instances=99)),
        bool,
    )
    step(
        "quota-set: below what is in use is 400",
        lambda: refused(400, lambda: desk.compute.update_quota_set(project.id, instances=1)),
        bool,
    )
    step(
        "  ... and goes through with force",
        lambda: desk.compute.update_quota_set(project.id, instances=1, force=True),
        lambda q: q.instances == 1,
    )
finally:
    step(
        "quota-set: back",
        lambda: desk.compute.update_quota_set(project.id, instances=before.instances, cores=before.cores),
        lambda q: q.instances == before.instances,
    )
step(
    "network quota: put and back",
    lambda: (desk.network.update_quota(project.id, networks=50), desk.network.delete_quota(project.id)),
)

# --- a password
user = step("find the user", lambda: desk.identity.find_user("anna"), bool)


def login(password):
    return openstack.connect(
        auth_url=anna.config.auth["auth_url"],
        username="anna",
        password=password,
        project_name="customer-a",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
        load_yaml_config=False,
    ).session.get_token()


old_token = anna.session.get_token()
try:
    step("reset the user's password", lambda: desk.identity.update_user(user, password="s3cret-new"))
    step("  ... the old one is 401", lambda: refused(401, lambda: login("anna")), bool)
    step("  ... the new one logs in", lambda: login("s3cret-new"), bool)
    step(
        "  ... and a token of before the reset is dead: 404 from validation",
        lambda: refused(
            404, lambda: desk.identity.get("/auth/tokens", headers={"X-Subject-Token": old_token}, raise_exc=True)
        ),
        bool,
    )
finally:
    step("the password back", lambda: desk.identity.update_user(user, password="anna"))
# Keystone's revocations have a grain of one second: a token issued in the second of a
# password reset dies with the old ones.
time.sleep(1.1)
anna = openstack.connect(cloud="customer-a")

# --- a link between the zones: a network in each, one router with a leg in both
tag, made = uuid.uuid4().hex[:6], []
zones = sorted(z.name for z in desk.network.availability_zones() if z.resource == "router")
try:
    legs = []
    for i, zone in enumerate(zones):
        net = step(
            f"network with hint {zone}",
            lambda: anna.network.create_network(name=f"link-{tag}-{zone}", availability_zone_hints=[zone]),
            bool,
        )
        made.append((anna.network.delete_network, net))
        sub = step(
            "  ... its subnet",
            lambda: anna.network.create_subnet(
                name=f"link-{tag}-{zone}", network_id=net.id, ip_version=4, cidr=f"10.20{i}.0.0/24"
            ),
            bool,
        )
        legs.append((net, sub))
    router = step(
        "router with both hints",
        lambda: anna.network.create_router(name=f"link-{tag}", availability_zone_hints=zones),
        bool,
    )
    made.append((anna.network.delete_router, router))
    for _, sub in legs:
        step("  ... a leg", lambda: anna.network.add_interface_to_router(router, subnet_id=sub.id))
    step("  ... its ports become ACTIVE", lambda: ports_active(router), bool)
    step(
        "  ... a gateway to the public network",
        lambda: anna.network.update_router(
            router, external_gateway_info={"network_id": anna.network.find_network("public").id}
        ),
    )
    for server, (net, _) in zip((vm, other), legs, strict=True):
        step(
            f"attach {server.name} to its zone's network",
            lambda: anna.compute.create_server_interface(server, net_id=net.id),
            bool,
        )
    port = next(anna.network.ports(device_id=vm.id, network_id=legs[0][0].id))
    fip = step(
        "floating address for web-1",
        lambda: anna.network.create_ip(floating_network_id=anna.network.find_network("public").id, port_id=port.id),
        bool,
    )
    made.append((anna.network.delete_ip, fip))
    step("  ... becomes ACTIVE", lambda: fip_active(fip), bool)
    step("the servers' ports are ACTIVE", lambda: (ports_active(vm), ports_active(other)), bool)
    step("router as scheduled", lambda: desk.network.get_router(router.id), lambda r: r.status == "ACTIVE")
finally:
    for delete, what in [m for m in made if m[0] == anna.network.delete_ip]:
        step("release the floating address", lambda: delete(what))
        made.remove((delete, what))
    for server, (net, _) in zip((vm, other), legs, strict=True):
        for i in anna.compute.server_interfaces(server):
            if i.net_id == net.id:
                anna.compute.delete_server_interface(i, server=server)
    time.sleep(3)
    for _, sub in legs:
        anna.network.remove_interface_from_router(router, subnet_id=sub.id)
    for delete, what in reversed(made):
        step(f"delete {what.name}", lambda: delete(what))

print("FAILED: " + ", ".join(failed) if failed else "every step as expected")
sys.exit(bool(failed))
