"""The part of Neutron that zun-api and zun-compute call, from memory. Tokens are not checked."""
import uuid

SHARED, OWN, EXTERNAL = ("86f0b398-0000-4000-8000-00000000%s" % (4 * digit) for digit in "abe")
PREFIX = {SHARED: "10.77", OWN: "10.78", EXTERNAL: "10.79"}
SUBNETS = {
    SHARED: ["48bdf0e5-0000-4000-8000-000000000004", "48bdf0e5-0000-4000-8000-000000000006"],
    OWN: ["48bdf0e5-0000-4000-8000-000000000014"],
    EXTERNAL: ["48bdf0e5-0000-4000-8000-000000000024"],
}


def missing(kind, ident):
    return 404, {"NeutronError": {"type": kind + "NotFound", "message": "%s %s could not be found." % (kind, ident), "detail": ""}}


def network(ident, owner, shared=False, external=False, created="2026-01-01T00:00:00Z"):
    return {
        "id": ident, "name": "net-" + ident[-4:], "shared": shared, "router:external": external, "tenant_id": owner, "project_id": owner,
        "status": "ACTIVE", "admin_state_up": True, "mtu": 1450, "created_at": created, "updated_at": created, "subnets": SUBNETS[ident],
        "provider:network_type": "vxlan", "port_security_enabled": True,
    }


def subnet(net, ident, version):
    four = version == 4
    return {
        "id": ident, "network_id": net, "ip_version": version, "name": "v%d" % version, "enable_dhcp": True, "tenant_id": "admin-project",
        "cidr": PREFIX[net] + ".0.0/16" if four else "fd00:77::/64", "gateway_ip": PREFIX[net] + ".0.1" if four else "fd00:77::1",
        "dns_nameservers": [], "host_routes": [], "ipv6_address_mode": None, "ipv6_ra_mode": None,
    }


class Neutron:
    def __init__(self, options):
        self.options = options
        self.ports, self.groups, self.rules, self.last = {}, {}, {}, 10

    def networks(self, project):
        own = self.options["project"] or project
        return {
            "none": [],
            "shared": [network(SHARED, "admin-project", shared=True)],
            "own": [network(OWN, own), network(SHARED, "admin-project", shared=True)],
            "external": [network(EXTERNAL, own, external=True)],
            "two": [network(OWN, own, created="2026-02-01T00:00:00Z"), network(SHARED, "admin-project", shared=True)],
        }[self.options["networks"]]

    def subnets(self, net):
        versions = (4, 6) if self.options["ports_ipv6"] else (4,)
        return [subnet(net, ident, version) for ident, version in zip(SUBNETS[net], versions)]

    def new_port(self, asked):
        net = asked["network_id"]
        self.last += 1
        high, low = divmod(self.last, 250)
        address = {4: "%s.%d.%d" % (PREFIX[net], high, low + 2), 6: "fd00:77::%x" % (self.last + 16)}
        port = {
            "id": str(uuid.uuid4()), "network_id": net, "tenant_id": asked.get("tenant_id"), "project_id": asked.get("tenant_id"),
            "name": asked.get("name", ""), "status": "DOWN", "admin_state_up": True, "device_id": asked.get("device_id", ""),
            "device_owner": asked.get("device_owner", ""), "mac_address": "fa:16:3e:00:%02x:%02x" % divmod(self.last, 256),
            "fixed_ips": [{"subnet_id": s["id"], "ip_address": address[s["ip_version"]]} for s in self.subnets(net)],
            "security_groups": asked.get("security_groups", ["default-sg"]), "binding:host_id": asked.get("binding:host_id"),
            "binding:vif_type": "ovs", "binding:profile": {}, "binding:vnic_type": "normal", "tags": [],
            "binding:vif_details": {"port_filter": True, "bridge_name": "br-int", "datapath_type": "system", "ovs_hybrid_plug": False},
        }
        self.ports[port["id"]] = port
        return 201, {"port": port}

    def answer(self, request):
        if request.path in ("/", "/v2.0"):
            return 200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": "/v2.0/"}]}]}
        kind, _, ident = request.path[len("/v2.0/"):].partition("/")
        serve = {
            "networks": self._networks, "subnets": self._subnets, "ports": self._ports, "security-groups": self._groups,
            "security-group-rules": self._rules, "extensions": lambda *_: (200, {"extensions": []}),
        }.get(kind)
        return serve(request, ident) if serve else missing("Resource", request.path)

    def _networks(self, request, ident):
        found = self.networks(request.query.get("tenant_id"))
        if ident:
            one = [n for n in found if n["id"] == ident]
            return (200, {"network": one[0]}) if one else missing("Network", ident)
        for key, value in request.query.items():
            if key in ("id", "name", "tenant_id"):
                found = [n for n in found if n[key] == value]
            if key == "shared":
                found = [n for n in found if n["shared"] == (value.lower() == "true")]
        return 200, {"networks": found}

    def _subnets(self, request, ident):
        net = request.query.get("network_id")
        found = [s for n in ([net] if net else PREFIX) for s in self.subnets(n)]
        if not ident:
            return 200, {"subnets": found}
        one = [s for s in found if s["id"] == ident]
        return (200, {"subnet": one[0]}) if one else missing("Subnet", ident)

    def _ports(self, request, ident):
        if request.method == "POST":
            return self.new_port(request.body["port"])
        if not ident:
            asked = {key: request.query[key] for key in ("id", "name", "device_id", "tenant_id", "network_id") if key in request.query}
            return 200, {"ports": [p for p in self.ports.values() if all(p[key] == value for key, value in asked.items())]}
        if ident not in self.ports:
            return missing("Port", ident)
        if request.method == "DELETE":
            del self.ports[ident]
            return 204, None
        if request.method == "PUT":
            self.ports[ident].update(request.body["port"])
        return 200, {"port": self.ports[ident]}

    def _groups(self, request, ident):
        if request.method == "POST":
            made = {"id": str(uuid.uuid4()), "security_group_rules": [], "description": "", "tenant_id": self.options["project"]}
            made.update(request.body["security_group"])
            self.groups[made["id"]] = made
            return 201, {"security_group": made}
        if not ident:
            asked = {key: request.query[key] for key in ("id", "name") if key in request.query}
            return 200, {"security_groups": [g for g in self.groups.values() if all(g[key] == value for key, value in asked.items())]}
        if ident not in self.groups:
            return missing("SecurityGroup", ident)
        if request.method == "DELETE":
            del self.groups[ident]
            return 204, None
        return 200, {"security_group": self.groups[ident]}

    def _rules(self, request, _):
        made = dict(request.body["security_group_rule"], id=str(uuid.uuid4()))
        self.rules[made["id"]] = made
        return 201, {"security_group_rule": made}
