"""Google Cloud Storage as a place for backups: a server of our own (gcs_server.py says why), over TLS, with a service account that
signs its tokens, and with the metadata service of a machine.
"""

import json
import ssl
import sys
from pathlib import Path

from stage import ROOT, free_port
from stores import BUCKET, Store, authority

KEY_ID = "4f1c0de4f1c0de4f1c0de4f1c0de4f1c0de4f1c0"
EMAIL = "ops-sidecar@backups-of-the-tests.iam.gserviceaccount.com"


class Google(Store):
    name = "gcs (ours)"
    scheme = "gs"

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.metadata_port = free_port()
        self.authority = authority(self.folder)
        self.private = service_account(self.folder / "account.json", public=self.folder / "public.pem")
        # The right name, and a key that nobody has told Google of.
        self.stranger = service_account(self.folder / "stranger.json")
        self.environment = {
            "GOOGLE_SERVICE_ACCOUNT": str(self.folder / "account.json"),
            "GOOGLE_BASE_URL": self.address,
            "SSL_CERT_FILE": str(self.authority),
        }
        self.wrong = {"GOOGLE_SERVICE_ACCOUNT": str(self.folder / "stranger.json")}

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    @property
    def secrets(self) -> list[str]:
        """Every line of either private key, and the names in them."""
        return [EMAIL, KEY_ID, *(line for key in (self.private, self.stranger) for line in key.splitlines()[1:-1])]

    @property
    def on_a_machine(self) -> dict[str, str]:
        keyless = {name: value for name, value in self.environment.items() if name != "GOOGLE_SERVICE_ACCOUNT"}
        return {**keyless, "GCE_METADATA_HOST": f"127.0.0.1:{self.metadata_port}"}

    def command(self) -> list:
        return [sys.executable, ROOT / "scripts/e2e/gcs_server.py", self.port, self.metadata_port, BUCKET, self.folder]

    def make_bucket(self) -> None:
        pass


def service_account(file: Path, public: Path | None = None) -> str:
    """A key file as Google's console gives it out, and beside it what Google keeps; the private key in it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    account = {
        "type": "service_account",
        "project_id": "backups-of-the-tests",
        "private_key_id": KEY_ID,
        "private_key": private,
        "client_email": EMAIL,
        "client_id": "100000000000000000000",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file.write_text(json.dumps(account))
    if public:
        public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private
