"""Answers for the agents a real cloud has on its hosts: L2, L3 and DHCP in each zone.

Neutron binds ports, schedules routers and offers availability zones only where agents
report in. This one process reports for all of them over the real message bus and says
"done" for each port the server hands to its hosts; it touches no interface.
"""

import sys
import threading

import oslo_messaging
from neutron.agent import rpc as agent_rpc
from neutron.api.rpc.callbacks import resources
from neutron.common import config
from neutron_lib import constants as const
from neutron_lib import context as n_context
from neutron_lib import rpc as n_rpc
from neutron_lib.agent import topics
from oslo_config import cfg
from oslo_log import log as logging

LOG = logging.getLogger("ostack.agents")
cfg.CONF.register_opts([cfg.ListOpt("zones")], group="ostack")


def reports(zone, number):
    host = f"compute-{zone}"
    common = {"host": host, "start_flag": True}
    yield {
        **common,
        "binary": const.AGENT_PROCESS_OVS,
        "topic": const.L2_AGENT_TOPIC,
        "agent_type": const.AGENT_TYPE_OVS,
        "resource_versions": resources.LOCAL_RESOURCE_VERSIONS,
        "configurations": {
            "bridge_mappings": {"physnet1": "br-ex"},
            "integration_bridge": "br-int",
            "tunnel_types": ["vxlan"],
            "tunneling_ip": f"10.255.0.{number}",
            "l2_population": False,
            "ovs_hybrid_plug": False,
            "datapath_type": "system",
            "ovs_capabilities": {"datapath_types": [], "iface_types": []},
            "extensions": [],
            "devices": 0,
        },
    }
    yield {
        **common,
        "binary": const.AGENT_PROCESS_L3,
        "topic": topics.L3_AGENT,
        "availability_zone": zone,
        "agent_type": const.AGENT_TYPE_L3,
        "configurations": {
            "agent_mode": "legacy",
            "handle_internal_only_routers": True,
            "interface_driver": "openvswitch",
            "extensions": [],
            "routers": 0,
            "ex_gw_ports": 0,
            "interfaces": 0,
            "floating_ips": 0,
        },
    }
    yield {
        **common,
        "binary": const.AGENT_PROCESS_DHCP,
        "topic": topics.DHCP_AGENT,
        "availability_zone": zone,
        "agent_type": const.AGENT_TYPE_DHCP,
        "configurations": {
            "dhcp_driver": "neutron.agent.linux.dhcp.Dnsmasq",
            "dhcp_lease_duration": 86400,
            "networks": 0,
            "subnets": 0,
            "ports": 0,
        },
    }


class L2:
    """Fanout of the ML2 plugin to its L2 agents."""

    target = oslo_messaging.Target(version="1.4")

    def __init__(self, hosts):
        self.hosts = hosts
        self.api = agent_rpc.PluginApi(topics.PLUGIN)

    def port_update(self, context, port=None, **_):
        host = port.get("binding:host_id")
        if host in self.hosts and port.get("status") != const.PORT_STATUS_ACTIVE:
            self.api.update_device_up(context, port["id"], f"ovs-agent-{host}", host)
            LOG.info("port %s up on %s", port["id"], host)

    def port_delete(self, context, **_):
        pass


class Dhcp:
    """Casts of the DHCP notifier to the agents that serve a network."""

    target = oslo_messaging.Target(version="1.0")

    def __init__(self):
        target = oslo_messaging.Target(topic=topics.PLUGIN, version="1.0", namespace=const.RPC_NAMESPACE_DHCP_PLUGIN)
        self.client = n_rpc.get_client(target)

    def _ready(self, context, payload):
        port = payload["port"]
        self.client.prepare(version="1.5").call(context, "dhcp_ready_on_ports", port_ids=[port["id"]])

    def port_create_end(self, context, payload):
        self._ready(context, payload)

    def port_update_end(self, context, payload):
        self._ready(context, payload)

    def __getattr__(self, name):
        if name.endswith("_end"):
            return lambda context, payload: None
        raise AttributeError(name)


class L3:
    """Casts of the router plugin to the agent that serves a router."""

    target = oslo_messaging.Target(version="1.2")

    def __init__(self, host):
        self.host = host
        self.client = n_rpc.get_client(oslo_messaging.Target(topic=topics.L3PLUGIN, version="1.0"))

    def routers_updated(self, context, routers=(), **_):
        # Asking for the routers makes the server bind their ports to this host.
        for router in self.client.prepare().call(context, "sync_routers", host=self.host, router_ids=list(routers)):
            fips = {f["id"]: const.FLOATINGIP_STATUS_ACTIVE for f in router.get(const.FLOATINGIP_KEY, [])}
            if fips:
                self.client.prepare(version="1.1").call(
                    context, "update_floatingip_statuses", router_id=router["id"], fip_statuses=fips
                )

    def router_added_to_agent(self, context, payload):
        self.routers_updated(context, payload)

    def router_deleted(self, context, **_):
        pass

    def router_removed_from_agent(self, context, payload):
        pass


def main():
    config.register_common_config_options()
    config.init(sys.argv[1:])
    config.setup_logging()
    n_rpc.init(cfg.CONF)
    cfg.CONF.register_opts([cfg.IntOpt("report_interval", default=30)], group="AGENT")
    zones = cfg.CONF.ostack.zones
    hosts = {f"compute-{z}" for z in zones}
    serializer = n_rpc.RequestContextSerializer()
    servers = []

    def listen(topic, endpoint, server):
        s = oslo_messaging.get_rpc_server(
            n_rpc.TRANSPORT,
            oslo_messaging.Target(topic=topic, server=server),
            [endpoint],
            executor="threading",
            serializer=serializer,
        )
        s.start()
        servers.append(s)

    l2 = L2(hosts)
    for op in (topics.UPDATE, topics.DELETE):
        listen(topics.get_topic_name(topics.AGENT, topics.PORT, op), l2, "ostack-agents")
    for host in hosts:
        listen(topics.DHCP_AGENT, Dhcp(), host)
        listen(topics.L3_AGENT, L3(host), host)

    api = agent_rpc.PluginReportStateAPI(topics.REPORTS)
    api.timeout = 3  # the server may not listen yet
    states = [s for i, z in enumerate(zones, 1) for s in reports(z, i)]
    pause = threading.Event()
    while True:
        for state in states:
            try:
                api.report_state(
                    n_context.get_admin_context_without_session(), state, use_call=state.get("start_flag", False)
                )
                state.pop("start_flag", None)
            except Exception:
                LOG.exception("report of %s failed", state["agent_type"])
        pause.wait(1 if any(s.get("start_flag") for s in states) else 25)


main()
