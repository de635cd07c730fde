#!/usr/bin/env python3
"""Makes vectors/signatures.json with nothing but the standard library and openssl, apart from both
implementations that are tested by it.

    contract/make-signatures.py            writes the file
    contract/make-signatures.py --check    exit code 1 when the file is not what this would write
"""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, 'vectors', 'signatures.json')
TOLERANCE_SECONDS = 300
AT = 1795000000


def secret_of(text, length=32):
    """A fixed secret, for vectors only."""
    key = hashlib.sha256(text.encode()).digest() * 2
    return 'whsec_' + base64.b64encode(key[:length]).decode()


CURRENT, NEXT, FOREIGN = secret_of('current'), secret_of('next', 24), secret_of('foreign', 64)


def signature(secret, webhook_id, timestamp, body):
    key = base64.b64decode(secret[len('whsec_'):])
    signed = '{}.{}.{}'.format(webhook_id, timestamp, body).encode('utf-8')
    ours = hmac.new(key, signed, hashlib.sha256).digest()
    openssl = subprocess.run(
        ['openssl', 'dgst', '-sha256', '-mac', 'HMAC', '-macopt', 'hexkey:' + key.hex(), '-binary'],
        input=signed, stdout=subprocess.PIPE, check=True).stdout
    assert ours == openssl, 'hmac and openssl differ'
    return 'v1,' + base64.b64encode(ours).decode()


def event(action='update', **more):
    content = {'kennitala': '0101002008', 'action': action, 'version': 42, 'occurred_at': '2026-11-17T12:26:40Z'}
    content.update(more)
    return json.dumps(content, ensure_ascii=False)


BODIES = [
    ('a delete', event('delete')),
    ('letters outside ASCII', event(data={'ssn': '0101002008', 'name': 'Þórður Ægisson', 'reachable': False})),
    ('white space and line ends belong to the body', '{\n  "kennitala": "0101002008"\r\n}\n'),
    ('an empty body', ''),
    ('a body with dots', '{"a": "1.2.3"}'),
]


def vector(name, webhook_id, body, header, secrets, timestamp=str(AT), now=AT):
    return {'name': name, 'secrets': secrets, 'now': now, 'body': body, 'headers': {
        'webhook-id': webhook_id, 'webhook-timestamp': timestamp, 'webhook-signature': header}}


def valid():
    for number, (name, body) in enumerate(BODIES):
        webhook_id = 'msg_{:032x}'.format(number)
        yield vector(name, webhook_id, body, signature(CURRENT, webhook_id, AT, body), [CURRENT])
    body, webhook_id = event(), 'msg_rotation'
    both = signature(CURRENT, webhook_id, AT, body) + ' ' + signature(NEXT, webhook_id, AT, body)
    yield vector('signed with both secrets, verified with the new one', webhook_id, body, both, [NEXT])
    yield vector('signed with both secrets, verified with the old one', webhook_id, body, both, [CURRENT])
    yield vector('signed with the old secret, two secrets valid', webhook_id, body,
                 signature(CURRENT, webhook_id, AT, body), [NEXT, CURRENT])
    yield vector('a signature of another scheme stands before it', webhook_id, body,
                 'v1a,AAAA ' + signature(CURRENT, webhook_id, AT, body), [CURRENT])
    for name, now in (('almost too old', AT + TOLERANCE_SECONDS - 1), ('almost too far ahead', AT - TOLERANCE_SECONDS + 1)):
        yield vector(name, webhook_id, body, signature(CURRENT, webhook_id, AT, body), [CURRENT], now=now)


def invalid():
    body, webhook_id = event(), 'msg_invalid'
    good = signature(CURRENT, webhook_id, AT, body)
    yield vector('another secret', webhook_id, body, signature(FOREIGN, webhook_id, AT, body), [CURRENT, NEXT])
    yield vector('a changed body', webhook_id, body.replace('42', '43'), good, [CURRENT])
    yield vector('another id', 'msg_other', body, good, [CURRENT])
    yield vector('another timestamp', webhook_id, body, good, [CURRENT], timestamp=str(AT + 1))
    yield vector('too old', webhook_id, body, good, [CURRENT], now=AT + TOLERANCE_SECONDS + 1)
    yield vector('too far ahead', webhook_id, body, good, [CURRENT], now=AT - TOLERANCE_SECONDS - 1)
    yield vector('no version before the signature', webhook_id, body, good[len('v1,'):], [CURRENT])
    yield vector('an unknown version', webhook_id, body, 'v2' + good[2:], [CURRENT])
    yield vector('an empty signature', webhook_id, body, 'v1,', [CURRENT])
    yield vector('a shortened signature', webhook_id, body, good[:-8], [CURRENT])
    yield vector('hexadecimal instead of base64', webhook_id, body,
                 'v1,' + base64.b64decode(good[3:]).hex(), [CURRENT])
    yield vector('a timestamp with letters', webhook_id, body,
                 signature(CURRENT, webhook_id, '{}abc'.format(AT), body), [CURRENT], timestamp='{}abc'.format(AT))


def main():
    content = {
        'about': 'Made by make-signatures.py. `now` is the receiver\'s clock in Unix seconds; the tolerance is 300 s '
                 'either way. Every `valid` one verifies with one of `secrets`, no `invalid` one does.',
        'tolerance_seconds': TOLERANCE_SECONDS, 'valid': list(valid()), 'invalid': list(invalid()),
    }
    text = json.dumps(content, ensure_ascii=False, indent=2) + '\n'
    if '--check' in sys.argv:
        with open(FILE, encoding='utf-8') as file:
            # The content counts; the formatter of the repository lays it out.
            sys.exit(0 if json.load(file) == content else 1)
    with open(FILE, 'w', encoding='utf-8') as file:
        file.write(text)


if __name__ == '__main__':
    main()
