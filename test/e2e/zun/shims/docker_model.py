"""Images and containers of an engine that runs no process. See docker_engine.py for how tests script them."""
import datetime
import hashlib
import threading
import time
import uuid

RESTART_DELAY_S = 1.0
lock = threading.RLock()
images, containers = {}, {}


def timestamp(seconds):
    if seconds is None:
        return "0001-01-01T00:00:00Z"
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def tagged(reference):
    return reference if ":" in reference.rsplit("/", 1)[-1] or "@" in reference else reference + ":latest"


def make_image(reference):
    config = {
        "Cmd": ["peer-default"], "Entrypoint": ["/docker-entrypoint.sh"] if "entrypoint" in reference else None, "Env": ["PATH=/bin"],
        "ExposedPorts": {"80/tcp": {}} if "nginx" in reference else None, "Labels": None, "WorkingDir": "",
    }
    return {
        "Id": "sha256:" + hashlib.sha256(reference.encode()).hexdigest(), "RepoTags": [reference], "RepoDigests": [], "Config": config,
        "Size": 1000, "VirtualSize": 1000, "Created": timestamp(0), "Architecture": "amd64", "Os": "linux", "Parent": "",
    }


def later(seconds, run, *arguments):
    timer = threading.Timer(seconds, run, arguments)
    timer.daemon = True
    timer.start()


class Container:
    def __init__(self, name, body):
        self.id, self.name, self.body = uuid.uuid4().hex * 2, name, body
        self.created, self.started, self.finished = time.time(), None, None
        self.running = self.paused = self.restarting = False
        self.code, self.restarts, self.run = 0, 0, 0
        self.env = dict(pair.split("=", 1) for pair in body.get("Env") or [] if "=" in pair)
        image = images[tagged(body["Image"])]["Config"]
        # moby merges so: the image's ENTRYPOINT only where the field is null, its CMD only where neither is given.
        self.entrypoint, self.command = body.get("Entrypoint"), body.get("Cmd")
        if not self.command and not self.entrypoint:
            self.command = image["Cmd"]
        if self.entrypoint is None:
            self.entrypoint = image["Entrypoint"]
        self.exposed = dict(image["ExposedPorts"] or {}, **(body.get("ExposedPorts") or {}))

    def start(self):
        if self.env.get("PEER_START_FAIL"):
            return False
        self.started, self.finished, self.running, self.code = time.time(), None, True, 0
        self.run += 1
        if "PEER_EXIT" in self.env:
            after, code = float(self.env.get("PEER_EXIT_AFTER", "0")), int(self.env["PEER_EXIT"])
            if after > 0:
                later(after, self.exit, self.run, code)
            else:
                self.exit(self.run, code)
        return True

    def exit(self, run, code):
        """The process ends by itself: the restart policy has its say."""
        with lock:
            if run != self.run or not self.running:
                return
            self.stop(code)
            policy = (self.body.get("HostConfig") or {}).get("RestartPolicy") or {}
            name, limit = policy.get("Name"), policy.get("MaximumRetryCount") or 0
            failed = code != 0 and (not limit or self.restarts < limit)
            if name in ("always", "unless-stopped") or (name == "on-failure" and failed):
                self.restarts += 1
                self.restarting = True
                later(RESTART_DELAY_S, self._again, run)

    def stop(self, code):
        self.running, self.paused, self.finished, self.code = False, False, time.time(), code

    def _again(self, run):
        with lock:
            if run == self.run and self.restarting and self.id in containers:
                self.restarting = False
                self.start()

    def status(self):
        if self.paused:
            return "paused"
        if self.restarting:
            return "restarting"
        if self.running:
            return "running"
        return "exited" if self.finished else "created"

    def line(self):
        return list(self.entrypoint or []) + list(self.command or [])

    def inspect(self):
        body = self.body
        state = {
            "Status": self.status(), "Running": self.running or self.restarting, "Paused": self.paused, "Restarting": self.restarting,
            "OOMKilled": False, "Dead": False, "Pid": 4242 if self.running else 0, "ExitCode": self.code, "Error": "",
            "StartedAt": timestamp(self.started), "FinishedAt": timestamp(self.finished),
        }
        config = {
            "Hostname": body.get("Hostname") or self.id[:12], "Env": body.get("Env"), "Cmd": self.command, "Entrypoint": self.entrypoint,
            "Image": body["Image"], "Labels": body.get("Labels") or {}, "WorkingDir": body.get("WorkingDir") or "",
            "Tty": body.get("Tty", False), "OpenStdin": body.get("OpenStdin", False), "ExposedPorts": self.exposed or None,
        }
        host = dict(body.get("HostConfig") or {})
        host["Runtime"] = host.get("Runtime") or "runc"
        networks = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
        return {
            "Id": self.id, "Name": "/" + self.name, "Created": timestamp(self.created), "Path": (self.line() + [""])[0], "Args": self.line()[1:],
            "State": state, "Image": images[tagged(body["Image"])]["Id"], "RestartCount": self.restarts, "Config": config, "HostConfig": host,
            "NetworkSettings": {"Networks": networks, "Ports": {}}, "Mounts": [],
        }


def find(name):
    for container in containers.values():
        if name in (container.id, container.name) or (len(name) >= 12 and container.id.startswith(name)):
            return container
    return None
