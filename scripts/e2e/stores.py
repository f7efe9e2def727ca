"""Object stores that others have written, on free loopback ports: moto (S3 with its signatures and policies), Azurite (Azure's
blobs, over TLS with a certificate authority of our own) and s3s-fs (S3, another implementation). Google's is in gcs.py.

Each is a context manager that starts a server, waits until it answers and makes one bucket or container; `environment` is what
the clouds' own tools would be given to reach it. Leaving the block ends the server.
"""

import base64
import datetime
import email.utils
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from stage import ENDS_WITHIN_S, TOOLS, Skipped, StageError, free_port, wait_for

BUCKET = "backups"
# The least that works, as the documents say it.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": f"arn:aws:s3:::{BUCKET}"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": f"arn:aws:s3:::{BUCKET}/shop/one/*",
        },
    ],
}


class Store:
    """One server. What subclasses fill in: `scheme`, the command, the bucket, `environment`, and which variable to get wrong."""

    name = ""
    scheme = "s3"
    # Where in the bucket: a space, because people have them.
    prefix = "my shop/one"
    # Whether it decides between several who store under one name at the same moment.
    decides = True
    # Whether it says that a bucket is not there.
    knows_buckets = True
    # The settings of a machine that is the cloud's own and needs no key: its metadata service gives out tokens.
    on_a_machine: dict[str, str] = {}

    def __init__(self, folder: Path):
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.environment: dict[str, str] = {}
        self.wrong: dict[str, str] = {}

    def url(self, bucket: str = BUCKET) -> str:
        return f"{self.scheme}://{bucket}/{self.prefix.replace(' ', '%20')}"

    @property
    def secrets(self) -> list[str]:
        """What must not be in any text of ours, whether right or wrong."""
        return [value for name, value in {**self.environment, **self.wrong}.items() if "KEY" in name]

    def __enter__(self) -> "Store":
        try:
            with open(self.folder / "server.log", "wb") as log:
                self.process = subprocess.Popen(
                    [str(part) for part in self.command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env={**os.environ, **self.server_environment()},
                )
            wait_for(f"{self.name} answers", self._answers)
            self.make_bucket()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise StageError(f"{self.name} ended with {self.process.returncode}:\n{(self.folder / 'server.log').read_text()[-800:]}")
        try:
            urllib.request.urlopen(self.address, timeout=2, context=self.trust()).close()
        except urllib.error.HTTPError:
            return True  # it has an opinion
        except OSError:
            return False
        return True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trust(self) -> ssl.SSLContext | None:
        return None

    def command(self) -> list:
        raise NotImplementedError

    def server_environment(self) -> dict[str, str]:
        return {}

    def make_bucket(self) -> None:
        raise NotImplementedError


class Moto(Store):
    name = "moto"
    # It finds the signature of a listing wrong when the prefix has a space, which others do not.
    prefix = "shop/one"
    # With the least policy, a bucket that is not there is one that we may not see.
    knows_buckets = False

    def command(self) -> list:
        return [TOOLS / "venv/bin/moto_server", "-H", "127.0.0.1", "-p", self.port]

    def server_environment(self) -> dict[str, str]:
        # After the four requests of `make_bucket` it checks who asks, and whether they may.
        return {"INITIAL_NO_AUTH_ACTION_COUNT": "4"}

    @property
    def address(self) -> str:
        # A page that is not S3: asking for a bucket would count as a request.
        return f"http://127.0.0.1:{self.port}/moto-api/"

    def make_bucket(self) -> None:
        import boto3

        endpoint = f"http://127.0.0.1:{self.port}"
        root = {"endpoint_url": endpoint, "region_name": "us-east-1", "aws_access_key_id": "root", "aws_secret_access_key": "root"}
        boto3.client("s3", **root).create_bucket(Bucket=BUCKET)
        iam = boto3.client("iam", **root)
        iam.create_user(UserName="ops-sidecar")
        iam.put_user_policy(UserName="ops-sidecar", PolicyName="backups", PolicyDocument=json.dumps(POLICY))
        key = iam.create_access_key(UserName="ops-sidecar")["AccessKey"]
        self.environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        self.wrong = {"AWS_SECRET_ACCESS_KEY": "a-wrong-secret-of-the-tests"}


class S3s(Store):
    name = "s3s-fs"
    decides = False
    # It makes the bucket when something is stored there.
    knows_buckets = False

    def command(self) -> list:
        program = shutil.which("s3s-fs") or TOOLS / "cargo/bin/s3s-fs"
        if not Path(program).exists():
            raise Skipped("no s3s-fs; hint: scripts/soak builds it")
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "AKIAORDERDESKTESTS",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        }
        self.wrong = {"AWS_SECRET_ACCESS_KEY": "a-wrong-secret-of-the-tests"}
        root = self.folder / "root"
        # A bucket is a folder.
        (root / BUCKET).mkdir(parents=True)
        key = ["--access-key", self.environment["AWS_ACCESS_KEY_ID"], "--secret-key", self.environment["AWS_SECRET_ACCESS_KEY"]]
        return [program, "--host", "127.0.0.1", "--port", self.port, *key, root]

    def make_bucket(self) -> None:
        pass


class Azurite(Store):
    name = "azurite"
    scheme = "az"
    account = "orderdesk"

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.key = base64.b64encode(secrets.token_bytes(64)).decode()
        self.authority = authority(self.folder)
        self.environment = {
            "AZURE_STORAGE_ENDPOINT": f"{self.address}/{self.account}",
            "AZURE_STORAGE_ACCOUNT_NAME": self.account,
            "AZURE_STORAGE_ACCOUNT_KEY": self.key,
            "SSL_CERT_FILE": str(self.authority),
        }
        self.wrong = {"AZURE_STORAGE_ACCOUNT_KEY": base64.b64encode(b"a-wrong-key-of-the-tests" * 3).decode()}

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def command(self) -> list:
        main = TOOLS / "node/node_modules/azurite/dist/src/blob/main.js"
        if not main.exists():
            raise Skipped("no azurite; hint: npm could not install it")
        certificate = ["--cert", self.folder / "server.pem", "--key", self.folder / "server.key"]
        quiet = ["--inMemoryPersistence", "--disableTelemetry", "--silent"]
        return ["node", main, "--blobPort", self.port, *certificate, *quiet]

    def server_environment(self) -> dict[str, str]:
        return {"AZURITE_ACCOUNTS": f"{self.account}:{self.key}"}

    def make_bucket(self) -> None:
        """One signed request, by hand: the client library of Azure is not worth its size here."""
        headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
        named = "".join(f"{name}:{value}\n" for name, value in headers.items())
        # Eleven standard headers, all of them empty, stand between the method and ours.
        text = "PUT" + "\n" * 12 + f"{named}/{self.account}/{self.account}/{BUCKET}\nrestype:container"
        mac = hmac.new(base64.b64decode(self.key), text.encode(), hashlib.sha256)
        headers["Authorization"] = f"SharedKey {self.account}:{base64.b64encode(mac.digest()).decode()}"
        url = f"{self.address}/{self.account}/{BUCKET}?restype=container"
        request = urllib.request.Request(url, method="PUT", headers={**headers, "Content-Length": "0"})
        urllib.request.urlopen(request, timeout=10, context=self.trust()).close()


def authority(folder: Path) -> Path:
    """A certificate authority that nobody knows, and a certificate of it for this machine: `server.pem` and `server.key`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def certificate(subject: str, issuer: str, public_key) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    root_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("authority of the tests", "authority of the tests", root_key.public_key())
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(root_key, hashes.SHA256())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = certificate("127.0.0.1", "authority of the tests", server_key.public_key()).add_extension(address, critical=False)
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True).sign(root_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(server_key.private_bytes(pem, *plain))
    return folder / "authority.pem"
