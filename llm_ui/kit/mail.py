"""Sending an e-mail through a server that somebody has named."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from llm_ui.errors import InvalidInput

TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server, and whom it sends for. `tls` is `starttls`, `tls` or `none`."""

    host: str
    port: int
    tls: str
    user: str
    password: str
    sender: str


def send(server: MailServer, to: str, subject: str, text: str) -> None:
    """Send an e-mail; this waits for the network. Raises `InvalidInput` with a sentence for whoever asked."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, to, subject
    message.set_content(text)
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message)
    except ssl.SSLError:
        raise InvalidInput("{host} has no valid certificate, so it is not trusted.", host=server.host) from None
    except smtplib.SMTPAuthenticationError:
        raise InvalidInput("{host} refuses this name and password.", host=server.host) from None
    except smtplib.SMTPException as error:
        kind = type(error).__name__
        raise InvalidInput("{host} does not take the e-mail ({kind}).", host=server.host, kind=kind) from None
    except OSError:
        raise InvalidInput("{host} cannot be reached. Check its name and port.", host=server.host) from None


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.tls == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    if server.tls == "starttls":
        connection.starttls(context=context)
    return connection
