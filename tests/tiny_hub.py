"""A model hub of one machine: the routes and headers that huggingface_hub's client uses."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class TinyHub:
    """Repositories by name, files by name; what was asked is counted.

    Attributes:
        files: ``(repository, file) -> bytes``.
        refusals: ``repository -> (status, X-Error-Code)``.
        served: ``(repository, file) -> bytes`` that are sent instead of what was announced.
        asked: every ``GET`` that was answered with content.
    """

    def __init__(self):
        self.files, self.refusals, self.served, self.asked = {}, {}, {}, []
        self.commit, self.url = COMMIT, ""

    def put(self, repository, **files):
        for name, payload in files.items():
            self.files[repository, name.replace("__", ".")] = payload


def _handler(hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def refuse(self, status, code):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, *, with_body):
            repository, _, rest = self.path.lstrip("/").partition("/resolve/")
            revision, _, name = rest.partition("/")
            if repository in hub.refusals:
                return self.refuse(*hub.refusals[repository])
            if not any(known == repository for known, _ in hub.files):
                return self.refuse(404, "RepoNotFound")
            if revision not in ("main", hub.commit):
                return self.refuse(404, "RevisionNotFound")
            if (repository, name) not in hub.files:
                return self.refuse(404, "EntryNotFound")
            payload = hub.files[repository, name]
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha256(payload).hexdigest()}"')
            self.send_header("X-Repo-Commit", hub.commit)
            payload = hub.served.get((repository, name), payload)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            if with_body:
                hub.asked.append((repository, name))
                self.wfile.write(payload)
            return None

    return Handler


@contextmanager
def serving():
    """Run a hub on a free port of this machine."""
    hub = TinyHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
