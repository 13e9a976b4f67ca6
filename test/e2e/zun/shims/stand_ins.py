"""Stand-ins for Neutron and Cinder behind the real Zun, and the test's control over them.

Usage: stand_ins.py --neutron PORT --cinder PORT --control PORT --volumes FOLDER
Control:
  GET  /state    ports, volumes, security groups, options
  GET  /calls    every call so far          POST /reset   forget the calls
  POST /set      options: networks none|own|shared|external|two; project ID; ports_ipv6 bool; volume_create_delay seconds;
                 volume_stuck bool; fail {service, match: regex on "METHOD /path", status, once} or null
  POST /volume   makes a volume: {size, name, status, multiattach, id}
"""
import argparse
import re
import threading
import time

from cinder import Cinder
from http_json import serve_port
from neutron import Neutron

arguments = argparse.ArgumentParser()
for name in ("neutron", "cinder", "control"):
    arguments.add_argument("--" + name, type=int, required=True)
arguments.add_argument("--volumes", required=True)
asked = arguments.parse_args()

options = {"networks": "shared", "project": None, "ports_ipv6": True, "volume_create_delay": 0.3, "volume_stuck": False, "fail": None}
services = {"neutron": Neutron(options), "cinder": Cinder(options, asked.volumes)}
calls, lock = [], threading.RLock()


def scripted_failure(service, request):
    fail = options["fail"]
    if not fail or fail["service"] != service or not re.search(fail.get("match", "."), "%s %s" % (request.method, request.path)):
        return None
    if fail.get("once"):
        options["fail"] = None
    envelope = "NeutronError" if service == "neutron" else "error"
    return fail.get("status", 500), {envelope: {"message": "scripted failure", "type": "Scripted", "detail": ""}}


def answer_as(service):
    def answer(request):
        with lock:
            status, body = scripted_failure(service, request) or services[service].answer(request)
            calls.append({"time": time.time(), "service": service, "method": request.method, "path": request.path, "query": request.query,
                          "body": request.body, "status": status})
            return status, body

    return answer


def control(request):
    neutron, cinder = services["neutron"], services["cinder"]
    with lock:
        if request.path == "/calls":
            return 200, list(calls)
        if request.path == "/reset":
            calls.clear()
            return 200, {}
        if request.path == "/set":
            unknown = set(request.body) - set(options)
            if unknown:
                return 400, {"error": "no such option: %s" % ", ".join(unknown)}
            options.update(request.body)
            return 200, options
        if request.path == "/volume":
            made = dict(request.body or {})
            return 200, cinder.create(options["project"], made.get("size", 1), made.get("name"), made.get("status", "available"),
                                      made.get("multiattach", False), made.get("id"))
        return 200, {"ports": neutron.ports, "volumes": cinder.volumes, "security_groups": neutron.groups, "options": options}


for service in services:
    serve_port(getattr(asked, service), answer_as(service))
serve_port(asked.control, control)
threading.Event().wait()
