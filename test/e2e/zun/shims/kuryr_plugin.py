"""A tiny stand-in for kuryr-libnetwork, the Docker network driver that Zun uses: a Linux bridge for each network, a veth pair for each container."""
import json
import os
import subprocess

from http_json import Raw


def ip(*arguments, check=True):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError("ip %s: %s" % (" ".join(arguments), done.stderr.strip()))


def is_alive(alias):
    """Whether the process that made a link, which its alias names, still runs."""
    return alias.isdigit() and os.path.exists("/proc/" + alias)


def remove_dead_links():
    """Bridges of plug-ins that were killed: their routes would lead to nowhere what is meant for the containers of this one."""
    links = "/sys/class/net"
    for name in os.listdir(links):
        if not (name.startswith("zk") and os.path.isdir(os.path.join(links, name, "bridge"))):
            continue
        with open(os.path.join(links, name, "ifalias")) as alias:
            if not is_alive(alias.read().strip()):
                ip("link", "del", name, check=False)


class Kuryr:
    def __init__(self):
        self.networks, self.endpoints = {}, {}
        remove_dead_links()

    def answer(self, request):
        serve = getattr(self, request.path.lstrip("/").replace(".", "_"), lambda _: {})
        try:
            reply = serve(request.body or {})
        except Exception as error:  # whatever it is, Docker wants to hear it in this form
            reply = {"Err": repr(error)}
        return 200, Raw(json.dumps(reply).encode(), "application/vnd.docker.plugins.v1.2+json")

    def Plugin_Activate(self, _):
        return {"Implements": ["NetworkDriver", "IpamDriver"]}

    def NetworkDriver_GetCapabilities(self, _):
        return {"Scope": "local", "ConnectivityScope": "local"}

    def NetworkDriver_CreateNetwork(self, body):
        bridge, gateway = "zk" + body["NetworkID"][:8], ""
        ip("link", "add", bridge, "type", "bridge")
        ip("link", "set", bridge, "alias", str(os.getpid()))
        for pool in (body.get("IPv4Data") or []) + (body.get("IPv6Data") or []):
            if pool.get("Gateway"):
                # The host takes the gateway's address, so it can reach the containers.
                ip("addr", "add", pool["Gateway"], "dev", bridge)
                gateway = gateway if ":" in pool["Gateway"] else pool["Gateway"].split("/")[0]
        ip("link", "set", bridge, "up")
        self.networks[body["NetworkID"]] = bridge, gateway
        return {}

    def NetworkDriver_DeleteNetwork(self, body):
        bridge, _ = self.networks.pop(body["NetworkID"], (None, None))
        if bridge:
            ip("link", "del", bridge)
        return {}

    def NetworkDriver_CreateEndpoint(self, body):
        host, inside = "zh" + body["EndpointID"][:8], "zc" + body["EndpointID"][:8]
        ip("link", "add", host, "type", "veth", "peer", "name", inside)
        address = (body.get("Interface") or {}).get("MacAddress")
        if address:
            ip("link", "set", inside, "address", address)
        ip("link", "set", host, "master", self.networks[body["NetworkID"]][0])
        ip("link", "set", host, "up")
        self.endpoints[body["EndpointID"]] = host, inside
        return {"Interface": {}}

    def NetworkDriver_Join(self, body):
        _, inside = self.endpoints[body["EndpointID"]]
        return {"InterfaceName": {"SrcName": inside, "DstPrefix": "eth"}, "Gateway": self.networks[body["NetworkID"]][1], "StaticRoutes": []}

    def NetworkDriver_DeleteEndpoint(self, body):
        host, _ = self.endpoints.pop(body["EndpointID"], (None, None))
        if host:
            ip("link", "del", host, check=False)  # gone already with the container's end of it
        return {}

    def NetworkDriver_EndpointOperInfo(self, _):
        return {"Value": {}}

    def IpamDriver_GetCapabilities(self, _):
        return {"RequiresMACAddress": False}

    def IpamDriver_GetDefaultAddressSpaces(self, _):
        return {"LocalDefaultAddressSpace": "local", "GlobalDefaultAddressSpace": "global"}

    def IpamDriver_RequestPool(self, body):
        return {"PoolID": "pool-" + body["Pool"], "Pool": body["Pool"], "Data": {}}

    def IpamDriver_RequestAddress(self, body):
        # Zun asks for the address that Neutron gave; nothing is chosen here.
        return {"Address": "%s/%s" % (body["Address"], body["PoolID"].rsplit("/", 1)[1]), "Data": {}}

    def remove_links(self):
        for bridge, _ in self.networks.values():
            ip("link", "del", bridge, check=False)
