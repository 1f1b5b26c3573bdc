"""Writes the services' configuration and clouds.yaml. Called by up.sh."""

import pathlib
import shutil
import sys

etc, data, log, venv, sock = map(pathlib.Path, sys.argv[1:6])
opt = dict(a.split("=", 1) for a in sys.argv[6:])
HOST = "127.0.0.1"
AUTH = f"http://{HOST}:{opt['keystone']}/v3"
SERVICE_PASSWORD = "service"


def ini(path, sections):
    path = etc / path
    path.parent.mkdir(parents=True, exist_ok=True)
    out = []
    for section, values in sections.items():
        out.append(f"[{section}]")
        out += [f"{k} = {v}" for k, v in values.items()]
        out.append("")
    path.write_text("\n".join(out))


def db(name):
    return {
        "connection": f"mysql+pymysql://root@localhost/{name}?unix_socket={sock}&charset=utf8",
        "max_pool_size": 5,
        "max_overflow": 20,
        "connection_recycle_time": 3600,
    }


def auth(user):
    return {
        "auth_type": "password",
        "auth_url": AUTH,
        "username": user,
        "password": SERVICE_PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
    }


def authtoken(user):
    return {
        **auth(user),
        "www_authenticate_uri": AUTH,
        "service_token_roles": "service",
        "service_token_roles_required": "true",
    }


def state(name):
    path = data / name
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


TRANSPORT = f"rabbit://guest:guest@{HOST}:{opt['amqp']}/"
RABBIT = {"heartbeat_in_pthread": "false"}

ini(
    "keystone/keystone.conf",
    {
        "DEFAULT": {},
        "database": db("keystone"),
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": state("keystone/fernet")},
        "credential": {"key_repository": state("keystone/credential")},
        # Cheap hashes: a password check takes 2 ms instead of 250 ms.
        "identity": {"password_hash_rounds": 4},
    },
)

ini(
    "placement/placement.conf",
    {
        "DEFAULT": {},
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": authtoken("placement"),
        "placement_database": db("placement"),
    },
)

ini(
    "glance/glance-api.conf",
    {
        "DEFAULT": {
            "bind_host": HOST,
            "enabled_backends": "files:file",
            "node_staging_uri": f"file://{state('glance/staging')}",
            "worker_self_reference_url": f"http://{HOST}:{opt['glance']}",
        },
        "database": db("glance"),
        "keystone_authtoken": authtoken("glance"),
        "paste_deploy": {"flavor": "keystone", "config_file": venv / "etc/glance/glance-api-paste.ini"},
        "glance_store": {"default_backend": "files"},
        "files": {"filesystem_store_datadir": state("glance/images")},
        "os_glance_staging_store": {"filesystem_store_datadir": state("glance/os_staging")},
        "os_glance_tasks_store": {"filesystem_store_datadir": state("glance/os_tasks")},
        "oslo_concurrency": {"lock_path": state("glance/lock")},
    },
)

ini(
    "nova/nova.conf",
    {
        "DEFAULT": {
            "host": "control",
            "my_ip": HOST,
            "state_path": state("nova"),
            "transport_url": TRANSPORT,
            "compute_driver": "fake.FakeDriverWithoutFakeNodes",
            "report_interval": 5,
            "service_down_time": 30,
            "vif_plugging_is_fatal": "false",
            "vif_plugging_timeout": 0,
            "graceful_shutdown_timeout": 3,
        },
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": authtoken("nova"),
        "service_user": {**auth("nova"), "send_service_user_token": "true"},
        "placement": auth("placement"),
        "neutron": auth("neutron"),
        "glance": auth("glance"),
        "database": db("nova"),
        "api_database": db("nova_api"),
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 10},
        "conductor": {"workers": 1},
        "oslo_concurrency": {"lock_path": state("nova/lock")},
        "oslo_messaging_rabbit": RABBIT,
        "vnc": {"enabled": "true", "server_listen": HOST, "server_proxyclient_address": HOST},
    },
)
shutil.copy(venv / "etc/nova/api-paste.ini", etc / "nova")  # it must lie beside nova.conf
for az in (opt["az1"], opt["az2"]):
    ini(f"nova/compute-{az}.conf", {"DEFAULT": {"host": f"compute-{az}", "state_path": state(f"nova/compute-{az}")}})

ini(
    "neutron/neutron.conf",
    {
        "DEFAULT": {
            "host": "control",
            "bind_host": HOST,
            "state_path": state("neutron"),
            "transport_url": TRANSPORT,
            "core_plugin": "ml2",
            "service_plugins": "router",
            "api_paste_config": venv / "etc/neutron/api-paste.ini",
            "auth_strategy": "keystone",
            "rpc_workers": 1,
            "rpc_state_report_workers": 0,
            "notify_nova_on_port_status_changes": "true",
            "notify_nova_on_port_data_changes": "true",
            "network_scheduler_driver": "neutron.scheduler.dhcp_agent_scheduler.AZAwareWeightScheduler",
            "router_scheduler_driver": "neutron.scheduler.l3_agent_scheduler.AZLeastRoutersScheduler",
            "dhcp_agents_per_network": 2,
            "agent_down_time": 75,
            "graceful_shutdown_timeout": 3,
        },
        "database": db("neutron"),
        "keystone_authtoken": authtoken("neutron"),
        "nova": auth("nova"),
        "oslo_concurrency": {"lock_path": state("neutron/lock")},
        "oslo_messaging_rabbit": RABBIT,
        "ml2": {
            "type_drivers": "flat,vlan,vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "openvswitch",
            "extension_drivers": "port_security",
        },
        "ml2_type_vxlan": {"vni_ranges": "1:5000"},
        "ml2_type_flat": {"flat_networks": "physnet1"},
        "securitygroup": {"enable_security_group": "true", "firewall_driver": "openvswitch"},
    },
)
ini("neutron/agents.conf", {"DEFAULT": {}, "ostack": {"zones": f"{opt['az1']},{opt['az2']}"}})


def cloud(user, password, project):
    return f"""\
    region_name: RegionOne
    identity_api_version: 3
    auth:
      auth_url: {AUTH}
      username: {user}
      password: {password}
      project_name: {project}
      user_domain_name: Default
      project_domain_name: Default
"""


path = pathlib.Path(opt["clouds"])
path.write_text(
    "clouds:\n"
    + "".join(
        f"  {name}:\n{cloud(*args)}"
        for name, args in {
            "admin": ("admin", "admin", "admin"),
            "desk": ("desk", "desk", "service"),
            "customer-a": ("anna", "anna", "customer-a"),
            "customer-b": ("boris", "boris", "customer-b"),
        }.items()
    )
)
path.chmod(0o600)
