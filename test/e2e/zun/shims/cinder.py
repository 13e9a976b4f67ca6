"""The part of Cinder that zun-api and zun-compute call, from memory. Each volume is a sparse file that zun-compute loop-mounts."""
import os
import time
import uuid

MIB_PER_GIB = 64  # a "GiB" of volume takes at most this much of the test machine's disk


def refused(message):
    return 400, {"badRequest": {"code": 400, "message": message}}


class Cinder:
    def __init__(self, options, folder):
        self.options, self.folder, self.volumes = options, folder, {}

    def create(self, project, size, name=None, status="creating", multiattach=False, ident=None):
        ident = ident or str(uuid.uuid4())
        self.volumes[ident] = {
            "id": ident, "name": name, "size": size, "status": status, "multiattach": multiattach, "attachments": [], "metadata": {},
            "bootable": "false", "encrypted": False, "volume_type": "test", "availability_zone": "nova", "links": [], "description": None,
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), "os-vol-tenant-attr:tenant_id": project, "user_id": "test",
            "_ready_at": time.time() + self.options["volume_create_delay"],
        }
        return self.shown(self.volumes[ident])

    def shown(self, volume):
        due = volume["status"] == "creating" and time.time() >= volume["_ready_at"]
        if due and not self.options["volume_stuck"]:
            volume["status"] = "available"
        return {key: value for key, value in volume.items() if not key.startswith("_")}

    def answer(self, request):
        if request.path in ("/", "/v3"):
            version = {"id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0", "links": [{"rel": "self", "href": "/v3/"}]}
            return (300 if request.path == "/" else 200), {"versions": [version]}
        # /v3/PROJECT/volumes/ID/action
        _, _, project, kind, ident, action, *_ = request.path.split("/") + [""] * 4
        if kind != "volumes":
            return 404, {"itemNotFound": {"code": 404, "message": "The resource could not be found."}}
        if ident in ("", "detail"):
            return self._collection(request, project)
        if ident not in self.volumes:
            return 404, {"itemNotFound": {"code": 404, "message": "Volume %s could not be found." % ident}}
        volume = self.volumes[ident]
        shown = self.shown(volume)
        if request.method == "GET":
            return 200, {"volume": shown}
        if request.method == "DELETE":
            return self._delete(volume)
        ((name, argument),) = request.body.items()
        return self._act(volume, name, argument or {})

    def _collection(self, request, project):
        if request.method == "POST":
            size = request.body["volume"].get("size")
            if not isinstance(size, int) or size < 1:
                return refused("Invalid input for field/attribute size. Value: %s." % size)
            return 202, {"volume": self.create(project, size, request.body["volume"].get("name"))}
        name = request.query.get("name")
        return 200, {"volumes": [self.shown(v) for v in self.volumes.values() if not name or v["name"] == name]}

    def _delete(self, volume):
        if volume["status"] not in ("available", "error", "creating"):
            return refused("Invalid volume: Volume status must be available or error or error_restoring or error_extending.")
        del self.volumes[volume["id"]]
        image = self._image(volume)
        if os.path.exists(image):
            os.unlink(image)
        return 202, None

    def _image(self, volume):
        return os.path.join(self.folder, volume["id"] + ".img")

    def _act(self, volume, name, argument):
        if name == "os-reserve":
            if volume["status"] != "available" and not volume["multiattach"]:
                return refused("Invalid volume: Volume status must be available to reserve, but the status is %s." % volume["status"])
            volume["status"] = "attaching"
        elif name == "os-unreserve":
            volume["status"] = "available" if volume["status"] == "attaching" else volume["status"]
        elif name == "os-initialize_connection":
            if not os.path.exists(self._image(volume)):
                with open(self._image(volume), "wb") as image:
                    image.truncate(volume["size"] * MIB_PER_GIB << 20)
            data = {"device_path": self._image(volume), "target_discovered": False, "qos_specs": None, "access_mode": "rw", "encrypted": False}
            return 200, {"connection_info": {"driver_volume_type": "local", "data": data}}
        elif name == "os-attach":
            volume["status"] = "in-use"
            volume["attachments"].append({
                "attachment_id": str(uuid.uuid4()), "id": volume["id"], "volume_id": volume["id"], "server_id": argument.get("instance_uuid"),
                "host_name": argument.get("host_name"), "device": argument.get("mountpoint"),
            })
        elif name == "os-begin_detaching":
            volume["status"] = "detaching"
        elif name == "os-roll_detaching":
            volume["status"] = "in-use"
        elif name == "os-detach":
            asked = argument.get("attachment_id")
            volume["attachments"] = [a for a in volume["attachments"] if asked and a["attachment_id"] != asked]
            volume["status"] = "in-use" if volume["attachments"] else "available"
        elif name != "os-terminate_connection":
            return refused("There is no such action: %s" % name)
        return 202, None
