"""A threaded HTTP server that speaks JSON, on a TCP port or a unix socket. Standard library only."""
import json
import os
import socketserver
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Request:
    def __init__(self, method, path, query, body, headers):
        self.method, self.path, self.query, self.body, self.headers = method, path, query, body, headers


class Raw:
    """An answer that is not JSON; `close` ends the connection after it."""

    def __init__(self, data, content_type="application/octet-stream", close=False):
        self.data, self.content_type, self.close = data, content_type, close


def handler(answer):
    """Makes a handler class around `answer(Request) -> (status, JSON value, Raw or None)`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def address_string(self):
            return "local"

        def _body(self):
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            data = b""
            while True:
                size = int(self.rfile.readline().strip() or b"0", 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return data

        def _any(self):
            url = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
            raw = self._body()
            try:
                body = json.loads(raw) if raw[:1] in (b"{", b"[") else None
            except ValueError:
                body = None
            path = unquote(url.path)
            self._send(*answer(Request(self.command, path.rstrip("/") or "/", query, body, self.headers)))

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        def _send(self, status, value):
            raw = value if isinstance(value, Raw) else Raw(b"" if value is None else json.dumps(value).encode(), "application/json")
            self.send_response(status)
            self.send_header("Content-Type", raw.content_type)
            self.send_header("X-Openstack-Request-Id", "req-%s" % uuid.uuid4())
            has_body = status not in (204, 304)
            if raw.close:
                self.send_header("Connection", "close")
                self.close_connection = True
            elif has_body:
                self.send_header("Content-Length", str(len(raw.data)))
            self.end_headers()
            if has_body:
                self.wfile.write(raw.data)

    return Handler


class _TcpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def serve_port(port, answer):
    """Serves in a thread of its own."""
    server = _TcpServer(("127.0.0.1", port), handler(answer))
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serve_socket(path, answer):
    """Serves for ever."""
    if os.path.exists(path):
        os.unlink(path)
    _UnixServer(path, handler(answer)).serve_forever()
