"""A mail server for tests: aiosmtpd, which knows nothing of loa.

smtp.py PORT starttls|implicit CERTIFICATE KEY: says `ready`, then one line of JSON for each letter that it took. It wants encryption
and a login (`loa`, `mat-khau-thu`). Of recipients it knows all but those whose names begin with `khong-`; one who begins with `cho-` is
asked to come again, once (greylisting).
"""

import base64
import json
import logging
import ssl
import sys
import threading
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Handler:
    def __init__(self):
        self.waited = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("khong-"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("cho-") and address not in self.waited:
            self.waited.add(address)
            return "451 4.7.1 Greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or session.peer is not None and mode == "implicit",
            "login": session.auth_data,
            "content": base64.b64encode(envelope.original_content).decode(),
        }
        print(json.dumps(letter), flush=True)
        return "250 2.0.0 queued as 4F2B"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"loa" and data.password == b"mat-khau-thu"
    return AuthResult(success=good, handled=False, auth_data="loa")


# What goes wrong is what the tests are about; it is no news here.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

port, mode, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
given = {"tls_context": context, "require_starttls": True} if mode == "starttls" else {"ssl_context": context, "auth_require_tls": False}
controller = Controller(
    Handler(), hostname="127.0.0.1", port=port, authenticator=authenticate, auth_required=True, **given
)
try:
    controller.start()
except OSError:
    sys.exit("bind")
print("ready", flush=True)
threading.Event().wait()
