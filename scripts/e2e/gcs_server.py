"""The part of Google Cloud Storage's XML API that a backup target needs. **This server is ours**, unlike the others of the suite.

None of others could be had: those on PyPI and npm speak the JSON API, and answer 501 to what the client of ops-sidecar sends. So it
proves less than they do: where the documentation was misread here, client and server may agree and be wrong. Hence it is strict. What
it does not know (a request, a parameter, an `x-goog-…` header) it refuses. It takes two kinds of bearer token: a JWT that the service
account signed (signature, key id, issuer, scope and times are checked), and one that it gave out itself as the metadata service of a
machine. It decides preconditions under a lock, refuses parts that are too small or out of order, and lists a few objects a page.

Usage: gcs_server.py PORT METADATA_PORT BUCKET FOLDER
FOLDER has server.pem and server.key (TLS), public.pem and account.json (the account that may do everything in BUCKET, and nothing else).
"""

import base64
import hashlib
import json
import re
import secrets
import ssl
import sys
import threading
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

# Google's is 1,000, and a page may always have fewer: this way the client has to turn pages.
PAGE = 3
# Of every part but the last.
PART_MIN = 5 * 1024 * 1024
SCOPES = {"https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/devstorage.read_write"}
# How far the clocks of signer and server may be apart.
SKEW_S = 60
PRECONDITION = "x-goog-if-generation-match"


class Refused(Exception):
    """An answer of the kind `<Error><Code>…`."""

    def __init__(self, status: int, code: str):
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Object:
    body: bytes
    etag: str
    generation: int
    modified: float

    def headers(self) -> dict[str, str]:
        return {
            "ETag": self.etag,
            "Last-Modified": formatdate(self.modified, usegmt=True),
            "x-goog-generation": str(self.generation),
            "x-goog-metageneration": "1",
            "x-goog-stored-content-length": str(len(self.body)),
        }


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""


class Bucket:
    """The objects, and the uploads that are not complete yet. One request at a time."""

    def __init__(self, name: str):
        self.name = name
        self.objects: dict[str, Object] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.lock = threading.Lock()

    def get(self, name: str, wanted: str | None, if_match: str | None) -> Answer:
        found = self._object(name)
        if if_match is not None and if_match != found.etag:
            raise Refused(412, "PreconditionFailed")
        if wanted is None:
            return Answer(200, found.headers(), found.body)
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
        if not span:
            raise Refused(400, "InvalidArgument")
        first, last = int(span[1]), min(int(span[2]), len(found.body) - 1)
        if first > last:
            raise Refused(416, "InvalidRange")
        shown = {"Content-Range": f"bytes {first}-{last}/{len(found.body)}"}
        return Answer(206, {**found.headers(), **shown}, found.body[first : last + 1])

    def put(self, name: str, body: bytes, generation: str | None) -> Answer:
        have = self.objects.get(name)
        if generation is not None and generation != str(have.generation if have else 0):
            raise Refused(412, "PreconditionFailed")
        return Answer(200, self._keep(name, body, _etag(body)).headers())

    def delete(self, name: str) -> Answer:
        self._object(name)
        del self.objects[name]
        return Answer(204, {})

    def begin(self, name: str) -> Answer:
        upload = secrets.token_urlsafe(24)
        self.uploads[upload] = (name, {})
        return _xml("InitiateMultipartUploadResult", Bucket=self.name, Key=name, UploadId=upload)

    def part(self, name: str, upload: str, number: str, body: bytes) -> Answer:
        if not re.fullmatch(r"[1-9]\d{0,3}|10000", number):
            raise Refused(400, "InvalidArgument")
        self._upload(name, upload)[int(number)] = body
        return Answer(200, {"ETag": _etag(body)})

    def complete(self, name: str, upload: str, body: bytes) -> Answer:
        parts = self._upload(name, upload)
        wanted = _parts(body)
        if [number for number, _ in wanted] != sorted({number for number, _ in wanted}):
            raise Refused(400, "InvalidPartOrder")
        if any(number not in parts or _etag(parts[number]) != etag for number, etag in wanted):
            raise Refused(400, "InvalidPart")
        if any(len(parts[number]) < PART_MIN for number, _ in wanted[:-1]):
            raise Refused(400, "EntityTooSmall")
        sums = b"".join(hashlib.md5(parts[number]).digest() for number, _ in wanted)
        etag = f'"{hashlib.md5(sums).hexdigest()}-{len(wanted)}"'
        kept = self._keep(name, b"".join(parts[number] for number, _ in wanted), etag)
        del self.uploads[upload]
        answer = _xml("CompleteMultipartUploadResult", Bucket=self.name, Key=name, ETag=etag)
        answer.headers["x-goog-generation"] = str(kept.generation)
        return answer

    def abort(self, name: str, upload: str) -> Answer:
        self._upload(name, upload)
        del self.uploads[upload]
        return Answer(204, {})

    def list(self, asked: dict[str, str]) -> Answer:
        """One page: of objects, and of what their names have up to the delimiter."""
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after = max(_unpaged(asked.get("continuation-token", "")), asked.get("start-after", ""))
        page = min(int(asked.get("max-keys", PAGE)), PAGE)
        entries: dict[str, Object | None] = {}
        for name in sorted(self.objects):
            if name.startswith(prefix):
                head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
                entry = prefix + head + delimiter if found else name
                if entry > after:
                    entries[entry] = None if found else self.objects[name]
        shown, more = list(entries.items())[:page], len(entries) > page
        inside = "".join(_contents(name, object) if object else _common(name) for name, object in shown)
        token = {"NextContinuationToken": _paged(shown[-1][0])} if more else {}
        answer = _xml("ListBucketResult", Name=self.name, Prefix=prefix, KeyCount=len(shown), IsTruncated=str(more).lower(), **token)
        answer.body = answer.body.replace(b"</ListBucketResult>", f"{inside}</ListBucketResult>".encode())
        return answer

    def _object(self, name: str) -> Object:
        if name not in self.objects:
            raise Refused(404, "NoSuchKey")
        return self.objects[name]

    def _upload(self, name: str, upload: str) -> dict[int, bytes]:
        of, parts = self.uploads.get(upload, ("", {}))
        if of != name:
            raise Refused(404, "NoSuchUpload")
        return parts

    def _keep(self, name: str, body: bytes, etag: str) -> Object:
        if not 1 <= len(name.encode()) <= 1024 or name in (".", "..") or re.search(r"[\r\n]", name):
            raise Refused(400, "InvalidObjectName")
        self.objects[name] = Object(body, etag, time.time_ns() // 1000, time.time())
        return self.objects[name]


class Guard:
    """Who may come in: the account of account.json, with a JWT of its own or a token that the machine was given."""

    def __init__(self, folder: Path):
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        self.account = json.loads((folder / "account.json").read_text())
        self.key = load_pem_public_key((folder / "public.pem").read_bytes())
        self.given: dict[str, float] = {}

    def give(self) -> dict:
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self.given[token] = time.time() + 3600
        return {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def check(self, authorization: str | None) -> None:
        kind, _, token = (authorization or "").partition(" ")
        if kind != "Bearer" or not (self.given.get(token, 0) > time.time() or self._signed(token)):
            raise Refused(401, "AuthenticationRequired")

    def _signed(self, token: str) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        try:
            message, _, signature = token.rpartition(".")
            header, claims = (json.loads(_unbase64(part)) for part in message.split("."))
            self.key.verify(_unbase64(signature), message.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        now, email = time.time(), self.account["client_email"]
        return (
            (header["alg"], header["kid"]) == ("RS256", self.account["private_key_id"])
            and (claims["iss"], claims["sub"]) == (email, email)
            and bool(SCOPES & set(claims["scope"].split()))
            and claims["iat"] - SKEW_S <= now < claims["exp"] <= claims["iat"] + 3600
        )


class Request(BaseHTTPRequestHandler):
    """HTTP to the methods above. `server` has `bucket` and `guard`."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; without this the second waits for the first one's acknowledgement.
    disable_nagle_algorithm = True
    # Who opens a connection and says nothing is let go.
    timeout = 60

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.server.guard.check(self.headers.get("Authorization"))
            with self.server.bucket.lock:
                answer = self._route(body)
        except Refused as refused:
            answer = _xml("Error", Code=refused.code, Message="refused")
            answer.status = refused.status
        self._send(answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

    def _route(self, body: bytes) -> Answer:
        url = urlsplit(self.path)
        _, name, *rest = url.path.split("/", 2)
        asked = dict(parse_qsl(url.query, keep_blank_values=True))
        if unquote(name) != self.server.bucket.name:
            raise Refused(404, "NoSuchBucket")
        if self.command in ("PUT", "POST") and "Content-Length" not in self.headers:
            raise Refused(411, "MissingContentLength")
        strange = {header.lower() for header in self.headers if header.lower().startswith(("x-goog-", "x-amz-"))}
        may_be_conditional = self.command == "PUT" and not asked
        if strange - ({PRECONDITION} if may_be_conditional else set()):
            raise Refused(400, "InvalidArgument")
        key = unquote("".join(rest), errors="strict")
        return self._of_object(key, asked, body) if key else self._of_bucket(asked)

    def _of_bucket(self, asked: dict[str, str]) -> Answer:
        known = {"list-type", "prefix", "delimiter", "continuation-token", "start-after", "max-keys"}
        if self.command != "GET" or asked.get("list-type") != "2" or set(asked) - known:
            raise Refused(501, "NotImplemented")
        return self.server.bucket.list(asked)

    def _of_object(self, key: str, asked: dict[str, str], body: bytes) -> Answer:
        bucket, upload = self.server.bucket, asked.get("uploadId", "")
        match self.command, sorted(asked):
            case ("GET" | "HEAD"), []:
                return bucket.get(key, self.headers.get("Range"), self.headers.get("If-Match"))
            case "PUT", []:
                return bucket.put(key, body, self.headers.get(PRECONDITION))
            case "DELETE", []:
                return bucket.delete(key)
            case "POST", ["uploads"] if not body:
                return bucket.begin(key)
            case "PUT", ["partNumber", "uploadId"]:
                return bucket.part(key, upload, asked["partNumber"], body)
            case "POST", ["uploadId"]:
                return bucket.complete(key, upload, body)
            case "DELETE", ["uploadId"]:
                return bucket.abort(key, upload)
        raise Refused(501, "NotImplemented")

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


class Metadata(Request):
    """The service from which a machine of Google's takes its account's token: plain HTTP, and it wants to be asked by name."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        well = path == "/computeMetadata/v1/instance/service-accounts/default/token" and self.headers.get("Metadata-Flavor") == "Google"
        said = json.dumps(self.server.guard.give()).encode() if well else b""
        self._send(Answer(200 if well else 404, {"Metadata-Flavor": "Google", "Content-Type": "application/json"}, said))


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _parts(body: bytes) -> list[tuple[int, str]]:
    try:
        root = xml.fromstring(body)
        if root.tag != "CompleteMultipartUpload" or not len(root) or {part.tag for part in root} != {"Part"}:
            raise ValueError(root.tag)
        return [(int(part.findtext("PartNumber")), part.findtext("ETag")) for part in root]
    except (xml.ParseError, TypeError, ValueError) as wrong:
        raise Refused(400, "MalformedCompleteMultipartUploadRequest") from wrong


def _xml(root: str, **fields) -> Answer:
    inside = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    space = "" if root == "Error" else " xmlns='http://doc.s3.amazonaws.com/2006-03-01'"
    body = f"<?xml version='1.0' encoding='UTF-8'?><{root}{space}>{inside}</{root}>"
    return Answer(200, {"Content-Type": "application/xml; charset=UTF-8"}, body.encode())


def _contents(name: str, object: Object) -> str:
    modified = datetime.fromtimestamp(object.modified, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return (
        f"<Contents><Key>{escape(name)}</Key><Generation>{object.generation}</Generation><MetaGeneration>1</MetaGeneration>"
        f"<LastModified>{modified}</LastModified><ETag>{escape(object.etag)}</ETag><Size>{len(object.body)}</Size></Contents>"
    )


def _common(name: str) -> str:
    return f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"


def _paged(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _unpaged(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError as wrong:
        raise Refused(400, "InvalidArgument") from wrong


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main(port: str, metadata_port: str, bucket: str, folder: str) -> None:
    guard = Guard(Path(folder))
    metadata = ThreadingHTTPServer(("127.0.0.1", int(metadata_port)), Metadata)
    metadata.guard = guard
    threading.Thread(target=metadata.serve_forever, daemon=True).start()

    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Request)
    server.guard, server.bucket = guard, Bucket(bucket)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(folder) / "server.pem", Path(folder) / "server.key")
    # The handshake belongs to the connection's own thread: nobody waits for a client that says nothing.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
