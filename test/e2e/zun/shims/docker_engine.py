"""The Docker Engine API (the part of 1.40 that Zun's Docker driver calls) on a unix socket, from memory: no process is run.
Usage: docker_engine.py --socket PATH

Tests script it through what a capsule can say:
  image name with    nope, missing: the pull answers 404    fail-pull: 500    slow-pull-N: the pull takes N seconds
                     entrypoint: the image has an ENTRYPOINT    nginx: it exposes 80/tcp
  environment        PEER_EXIT=code: the process ends so    PEER_EXIT_AFTER=seconds: but only then
                     PEER_START_FAIL=1: the start answers 500    PEER_LOG=text: what the logs say
"""
import argparse
import json
import re
import struct
import time
import uuid

from docker_model import Container, containers, find, images, lock, make_image, tagged, timestamp
from http_json import Raw, serve_socket

networks, execs = {}, {}
TRUE = ("1", "True", "true")
STREAM = "application/vnd.docker.raw-stream"


def message(status, text):
    return status, {"message": text}


def framed(text, tty):
    """Docker puts stdout and stderr into one stream by a header of eight bytes, unless there is a terminal."""
    data = text.encode()
    return data if tty else struct.pack(">BxxxL", 1, len(data)) + data


def answer(request):
    path = re.sub(r"^/v\d+\.\d+", "", request.path)
    for pattern, serve in ROUTES:
        match = re.fullmatch(pattern, path)
        if match:
            return serve(request, *match.groups())
    return message(404, "page not found: %s %s" % (request.method, path))


def info(_):
    running = sum(c.running for c in containers.values())
    return 200, {
        "ID": "TEST", "Name": asked.name, "Containers": len(containers), "ContainersRunning": running, "ContainersPaused": 0,
        "ContainersStopped": len(containers) - running, "Images": len(images), "Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"]],
        "NCPU": 64, "MemTotal": 64 << 30, "Architecture": "x86_64", "OSType": "linux", "OperatingSystem": "Linux", "KernelVersion": "6.0",
        "Labels": [], "Runtimes": {"runc": {"path": "runc"}}, "DefaultRuntime": "runc", "DockerRootDir": "/tmp", "ServerVersion": "20.10.99",
        "SecurityOptions": [], "CgroupDriver": "cgroupfs", "LoggingDriver": "json-file", "Plugins": {},
    }


def version(_):
    return 200, {"Version": "20.10.99", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"}


def pull(request):
    name = request.query.get("fromImage", "") + (":" + request.query["tag"] if request.query.get("tag") else "")
    slow = re.search(r"slow-pull-(\d+)", name)
    if slow:
        time.sleep(int(slow.group(1)))
    if "nope" in name or "missing" in name:
        return message(404, "pull access denied for %s, repository does not exist or may require 'docker login': denied: "
                            "requested access to the resource is denied" % name.rsplit(":", 1)[0])
    if "fail-pull" in name:
        return message(500, 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host')
    with lock:
        images[tagged(name)] = make_image(tagged(name))
    return 200, Raw(json.dumps({"status": "Status: Downloaded newer image for " + name}).encode() + b"\r\n", "application/json")


def image_json(_, name):
    found = images.get(tagged(name))
    return (200, found) if found else message(404, "No such image: " + tagged(name))


def network_list(request):
    names = list(json.loads(request.query.get("filters", "{}")).get("name") or [])
    return 200, [n for n in networks.values() if not names or any(name in n["Name"] for name in names)]


def network_create(request):
    ident = uuid.uuid4().hex * 2
    with lock:
        networks[ident] = {"Id": ident, "Name": request.body["Name"], "Driver": request.body.get("Driver"), "Scope": "local", "Containers": {},
                           "Options": request.body.get("Options"), "IPAM": request.body.get("IPAM")}
    return 201, {"Id": ident, "Warning": ""}


def network_attach(_, name, __):
    known = any(name in (n["Id"], n["Name"]) for n in networks.values())
    return (200, None) if known else message(404, "network %s not found" % name)


def network_delete(_, name):
    with lock:
        for ident in [i for i, n in networks.items() if name in (i, n["Name"])]:
            del networks[ident]
    return 204, None


def container_list(request):
    names = json.loads(request.query.get("filters", "{}")).get("name") or []
    with lock:
        found = [c for c in containers.values() if not names or any(name in c.name for name in names)]
        return 200, [{"Id": c.id, "Names": ["/" + c.name], "Image": c.body["Image"], "State": c.status(), "Status": c.status(),
                      "Created": int(c.created), "Labels": c.body.get("Labels") or {}, "Command": " ".join(c.command or []), "Ports": []} for c in found]


def container_create(request):
    body, name = request.body, request.query.get("name")
    with lock:
        if tagged(body["Image"]) not in images:
            return message(404, "No such image: " + tagged(body["Image"]))
        if name and find(name):
            return message(409, 'Conflict. The container name "/%s" is already in use' % name)
        made = Container(name or uuid.uuid4().hex[:10], body)
        if not made.line():
            return message(400, "No command specified")
        containers[made.id] = made
    return 201, {"Id": made.id, "Warnings": []}


def container(request, name, action):
    with lock:
        found = find(name)
        if not found:
            return message(404, "No such container: " + name)
        if action is None:
            if found.running and request.query.get("force") not in TRUE:
                return message(409, "You cannot remove a running container %s. Stop the container before attempting removal or force remove" % found.id)
            del containers[found.id]
            return 204, None
        serve = ACTIONS.get((request.method, action)) or ACTIONS.get(("*", action))
        return serve(request, found) if serve else message(404, "page not found: %s" % action)


def start(_, found):
    return (204, None) if found.start() else message(500, "OCI runtime create failed: scripted start failure: unknown")


def stop(_, found):
    found.restarting = False
    if not found.running:
        return 304, None
    found.stop(0)
    return 204, None


def kill(request, found):
    if not found.running:
        return message(409, "Container %s is not running" % found.id)
    # A main process does not end by a signal that it has no handler for, but by SIGKILL.
    if request.query.get("signal", "SIGKILL").upper().replace("SIG", "") in ("HUP", "USR1", "USR2", "WINCH", "CONT"):
        return 204, None
    found.restarting = False
    found.stop(137)
    return 204, None


def restart(_, found):
    found.stop(0)
    found.start()
    return 204, None


def pause(request, found):
    found.paused = request.path.endswith("/pause")
    return 204, None


def logs(request, found):
    text = found.env.get("PEER_LOG", "log of %s" % found.name) + "\n"
    if request.query.get("timestamps") in TRUE:
        text = timestamp(found.started) + " " + text
    return 200, Raw(framed(text, found.body.get("Tty")), STREAM)


def top(_, found):
    return 200, {"Titles": ["PID", "USER", "TIME", "COMMAND"], "Processes": [["4242", "root", "0:00", " ".join(found.line())]]}


def stats(_, __):
    usage = {"cpu_usage": {"total_usage": 200, "percpu_usage": [100, 100]}, "system_cpu_usage": 2000, "online_cpus": 2}
    before = {"cpu_usage": {"total_usage": 100, "percpu_usage": [50, 50]}, "system_cpu_usage": 1000}
    return 200, {"cpu_stats": usage, "precpu_stats": before, "memory_stats": {"usage": 1 << 20, "limit": 1 << 30},
                 "blkio_stats": {"io_service_bytes_recursive": []}, "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}}}


def exec_create(request, _):
    ident = uuid.uuid4().hex * 2
    execs[ident] = {"command": request.body.get("Cmd") or [], "tty": request.body.get("Tty"), "code": 0}
    return 201, {"Id": ident}


def exec_run(_, ident, action):
    if ident not in execs:
        return message(404, "No such exec instance: " + ident)
    found = execs[ident]
    if action == "json":
        return 200, {"ID": ident, "ExitCode": found["code"], "Running": False}
    if action == "resize":
        return 200, None
    name, *rest = found["command"] or [""]
    if name == "sleep":
        time.sleep(float(rest[0]))
    found["code"] = int(rest[0]) if name == "exit" else 0
    text = " ".join(rest) if name == "echo" else "ran: " + " ".join(found["command"])
    # docker-py reads the hijacked connection to its end.
    return 200, Raw(framed(text + "\n", found["tty"]), STREAM, close=True)


ACTIONS = {
    ("GET", "json"): lambda _, found: (200, found.inspect()), ("POST", "start"): start, ("POST", "stop"): stop, ("POST", "kill"): kill,
    ("POST", "restart"): restart, ("POST", "pause"): pause, ("POST", "unpause"): pause, ("GET", "logs"): logs, ("GET", "top"): top,
    ("GET", "stats"): stats, ("POST", "exec"): exec_create, ("POST", "resize"): lambda *_: (200, None),
    ("POST", "update"): lambda *_: (200, {"Warnings": None}), ("PUT", "archive"): lambda *_: (200, None), ("GET", "changes"): lambda *_: (200, []),
    ("*", "archive"): lambda request, found: message(404, "Could not find the file %s in container %s" % (request.query.get("path"), found.id)),
}
ROUTES = [
    ("/_ping", lambda _: (200, Raw(b"OK", "text/plain"))), ("/version", version), ("/info", info),
    ("/images/create", pull), ("/images/json", lambda _: (200, list(images.values()))), ("/images/(.+)/json", image_json),
    ("/images/search", lambda request: (200, [{"name": request.query.get("term"), "is_official": True, "star_count": 1, "description": ""}])),
    ("/images/(.+)", lambda _, name: (200, [{"Untagged": name}])),
    ("/networks/create", network_create), ("/networks", network_list), ("/networks/([^/]+)/(connect|disconnect)", network_attach),
    ("/networks/([^/]+)", network_delete), ("/containers/json", container_list), ("/containers/create", container_create),
    ("/containers/([^/]+)(?:/(.*))?", container), ("/exec/([^/]+)/(start|json|resize)", exec_run),
    ("/commit", lambda _: (201, {"Id": "sha256:" + uuid.uuid4().hex * 2})), ("/plugins", lambda _: (200, [])),
]

arguments = argparse.ArgumentParser()
arguments.add_argument("--socket", required=True)
arguments.add_argument("--name", required=True, help="the host's name, as Zun knows its compute node")
asked = arguments.parse_args()
serve_socket(asked.socket, answer)
