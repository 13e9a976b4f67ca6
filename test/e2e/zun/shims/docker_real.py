"""A real Docker engine with its own data folder, a registry on loopback that it uses as Docker Hub's mirror, and the network driver that Zun expects.
Needs root. Usage: docker_real.py --state FOLDER --socket PATH --plugin-port PORT --registry-port PORT --api-port PORT

The socket appears when everything is ready. Images are made from Debian's static busybox, under names that manifests use.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from http_json import serve_port
from kuryr_plugin import Kuryr

PAUSE = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 1000 & wait; done"]
HTTPD = ["httpd", "-f", "-v", "-p", "80", "-h", "/www"]
IMAGES = {
    "kubernetes/pause:latest": ["ENTRYPOINT " + json.dumps(PAUSE)],
    "library/busybox:latest": ['CMD ["sh"]'],
    "library/nginx:latest": ["CMD " + json.dumps(HTTPD), "EXPOSE 80"],
    "library/nginx:1.27": ["CMD " + json.dumps(HTTPD), "EXPOSE 80"],
    "library/entry:latest": ['ENTRYPOINT ["/bin/echo","ENTRY"]', 'CMD ["cmd"]'],
}
PLUGIN = "/etc/docker/plugins/kuryr.json"

arguments = argparse.ArgumentParser()
for name in ("state", "socket", "plugin-port", "registry-port", "api-port"):
    arguments.add_argument("--" + name, required=True)
asked = arguments.parse_args()
registry = "127.0.0.1:" + asked.registry_port
processes, kuryr = [], Kuryr()


def path(*parts):
    return os.path.join(asked.state, *parts)


def docker(socket, *command, **options):
    return subprocess.run(["/usr/bin/docker", "-H", "unix://" + socket, *command], **options)


def write(file, text):
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w") as out:
        out.write(text)


def make_root():
    """One root file system for all images."""
    root = path("rootfs")
    for folder in ("bin", "www", "tmp", "etc", "proc", "sys", "dev", "root"):
        os.makedirs(os.path.join(root, folder))
    shutil.copy("/bin/busybox", os.path.join(root, "bin/busybox"))
    for applet in subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            os.symlink("busybox", os.path.join(root, "bin", applet))
    write(os.path.join(root, "www/index.html"), "hello from a real container\n")
    write(os.path.join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")
    return root


def push_images(socket):
    root = make_root()
    for name, changes in IMAGES.items():
        reference = "%s/%s" % (registry, name)
        archive = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
        flags = [part for change in changes for part in ("-c", change)]
        docker(socket, "import", *flags, "-", reference, stdin=archive.stdout, check=True)
        docker(socket, "push", "-q", reference, check=True)


def start():
    os.makedirs(path(), exist_ok=True)
    # Docker looks for network drivers only here.
    write(PLUGIN, json.dumps({"Name": "kuryr", "Addr": "http://127.0.0.1:" + asked.plugin_port}))
    serve_port(int(asked.plugin_port), kuryr.answer)
    write(path("registry.yml"), "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n" % (path("registry"), registry))
    processes.append(subprocess.Popen(["/usr/bin/docker-registry", "serve", path("registry.yml")]))
    setup = path("setup.sock")
    processes.append(subprocess.Popen([
        "/usr/sbin/dockerd", "--data-root", path("root"), "--exec-root", path("exec"), "--pidfile", path("pid"), "-H", "unix://" + setup, "-H", "tcp://127.0.0.1:" + asked.api_port, "--tls=false",
        "--iptables=false", "--ip6tables=false", "--bridge=none", "--registry-mirror", "http://" + registry,
    ]))
    deadline = time.monotonic() + 60
    while docker(setup, "version", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        if time.monotonic() > deadline:
            sys.exit("dockerd is not ready after 60 s")
        time.sleep(0.2)
    push_images(setup)
    os.rename(setup, asked.socket)


def stop(*_):
    kuryr.remove_links()  # first: what follows may take longer than the patience of whoever stops this
    left = docker(asked.socket, "ps", "-aq", capture_output=True, text=True).stdout.split()
    if left:
        docker(asked.socket, "rm", "-f", *left, stdout=subprocess.DEVNULL)
    for process in reversed(processes):
        process.terminate()
        process.wait()
    if os.path.exists(PLUGIN):
        os.unlink(PLUGIN)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
start()
while all(process.poll() is None for process in processes):
    time.sleep(1)
stop()
