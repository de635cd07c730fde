"""Signatures as Standard Webhooks defines them (https://www.standardwebhooks.com)."""
import base64
import binascii
import hashlib
import hmac

PREFIX = 'whsec_'
# The specification asks for 24 to 64 bytes.
SHORTEST_KEY_BYTES = 24
LONGEST_KEY_BYTES = 64


def parse_secret(secret):
    """The key's bytes. Raises ValueError, which never repeats the secret."""
    if not isinstance(secret, str) or not secret.startswith(PREFIX):
        raise ValueError('a webhook secret starts with whsec_')
    try:
        key = base64.b64decode(secret[len(PREFIX):], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError('what follows whsec_ is not base64') from None
    if not SHORTEST_KEY_BYTES <= len(key) <= LONGEST_KEY_BYTES:
        raise ValueError('a webhook secret has 24 to 64 bytes, this one has {}'.format(len(key)))
    return key


def sign(secrets, webhook_id, timestamp, body):
    """The `webhook-signature` header: one `v1,…` a secret, so that both sides of a rotation verify.

    `timestamp` is in whole Unix seconds, `body` the exact bytes that are sent.
    """
    signed = '{}.{}.'.format(webhook_id, timestamp).encode('ascii') + body
    return ' '.join(
        'v1,' + base64.b64encode(hmac.new(parse_secret(secret), signed, hashlib.sha256).digest()).decode('ascii')
        for secret in secrets)
