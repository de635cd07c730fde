"""Sends one signed event."""
import json
import time

import requests

from ekklesia_sync import __version__, conf
from ekklesia_sync.delivery.outcome import RETRY, Outcome, outcome_of
from ekklesia_sync.delivery.signing import sign

# The receiver's own answers are below 1 KB; of a web page this is its beginning.
ANSWER_BYTES = 8192


def send(session, webhook_id, body):
    """POSTs the body and answers an Outcome; no exception of the network leaves this function.

    Errors are codes: an exception's text holds the URL and may hold more.
    """
    timestamp = int(time.time())
    try:
        headers = {
            'content-type': 'application/json; charset=utf-8',
            'user-agent': 'ekklesia-sync/' + __version__,
            'webhook-id': webhook_id,
            'webhook-timestamp': str(timestamp),
            'webhook-signature': sign(conf.webhook_secrets(), webhook_id, timestamp, body),
        }
    except (OSError, ValueError):
        return Outcome(RETRY, 'secret_unusable', reached=False)
    if not headers['webhook-signature']:
        return Outcome(RETRY, 'secret_missing', reached=False)
    timeout = (conf.get('CONNECT_TIMEOUT_SECONDS'), conf.get('READ_TIMEOUT_SECONDS'))
    try:
        response = session.post(
            conf.get('WEBHOOK_URL'), data=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True)
    except requests.exceptions.SSLError:
        return Outcome(RETRY, 'tls', reached=False)
    except requests.exceptions.Timeout:
        return Outcome(RETRY, 'timeout', reached=False)
    except requests.exceptions.RequestException:
        return Outcome(RETRY, 'connection', reached=False)
    return outcome_of(response.status_code, _read_answer(response), response.headers.get('Retry-After'))


def _read_answer(response):
    """The answer's JSON object; empty for anything else: a web page, a body that was cut off."""
    try:
        answer = json.loads(response.raw.read(ANSWER_BYTES, decode_content=True).decode('utf-8'))
        return answer if isinstance(answer, dict) else {}
    except Exception:  # noqa: B902  whatever breaks here, the receiver's word did not arrive
        return {}
    finally:
        response.close()
