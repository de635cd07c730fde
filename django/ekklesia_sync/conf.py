"""The settings `EKKLESIA_SYNC = {…}`, with their defaults. README.md explains each one."""
from django.apps import apps
from django.conf import settings

SECTION_SETTINGS = ('CONTACT_INFO', 'LOCAL_ADDRESS', 'FOREIGN_ADDRESSES', 'UNIONS', 'TITLES')

DEFAULTS = {
    # Which members, and where their data lies.
    'MEMBER_MODEL': 'membership.Comrade',
    'MEMBER_FILTER': {},
    'FIELDS': {
        'ssn': 'ssn',
        'name': 'name',
        'birthday': 'birthday',
        'gender': 'gender',
        'housing_situation': 'housing_situation',
        'reachable': 'reachable',
        'groupable': 'groupable',
        'date_joined': 'date_joined',
    },
    'CONTACT_INFO': {
        'relation': 'contact_info',
        'filter': {},
        'fields': {
            'email': 'email',
            'phone': 'phone',
            'foreign_phone': 'foreign_phone',
            'facebook': 'facebook',
        },
    },
    'LOCAL_ADDRESS': {
        'relation': 'local_addresses',
        'filter': {'current': True},
        'fields': {
            'street': 'address__street__name',
            'number': 'address__number',
            'letter': 'address__letter',
            'postal_code': 'address__street__postal_code__code',
            'city': 'address__street__municipality__name',
        },
    },
    'FOREIGN_ADDRESSES': {
        'relation': 'foreign_addresses',
        'filter': {'current': True},
        'fields': {
            'pk': 'pk',
            'country': 'country',
            'current': 'current',
            'municipality': 'municipality',
            'postal_code': 'postal_code',
            'address': 'address',
        },
    },
    'UNIONS': {'relation': 'unions', 'filter': {}, 'fields': {'name': 'name'}},
    'TITLES': {'relation': 'titles', 'filter': {}, 'fields': {'name': 'name'}},

    # The webhook.
    'WEBHOOK_URL': '',
    'WEBHOOK_SECRETS': [],
    'WEBHOOK_SECRETS_FILE': '',
    'ALLOW_INSECURE_WEBHOOK': False,
    'DELIVERY': 'thread',
    'CONNECT_TIMEOUT_SECONDS': 3.05,
    'READ_TIMEOUT_SECONDS': 10,
    'CLAIM_SECONDS': 60,
    # The retry table that Standard Webhooks recommends; after the last one the event is a dead letter.
    'BACKOFF_SECONDS': [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
    'FAILURES_BEFORE_PAUSE': 3,

    # The API.
    'PUBLIC_BASE_URL': '',
    'PAGE_SIZE': 500,
    'MAX_PAGE_SIZE': 1000,
    'MODIFIED_SINCE_OVERLAP_SECONDS': 300,
    'CHANGES_LIMIT': 10000,
    'MAX_CHANGES_PER_REQUEST': 1000,
    'ALLOW_CREATE': False,
    'ADDRESS_WRITER': 'ekklesia_sync.apply.addresses.write_addresses',
}


def get(name):
    """One setting, the project's value over the default; mappings are merged key by key.

    Read at each use and never cached, so that a test's `override_settings` and a value that the
    project changes at run time are both seen.
    """
    own = getattr(settings, 'EKKLESIA_SYNC', {})
    default = DEFAULTS[name]
    if name not in own:
        return default
    if name in SECTION_SETTINGS:
        return _merged_section(default, own[name])
    if name == 'FIELDS':
        return _merged_fields(default, own[name])
    return own[name]


def member_model():
    """The class that MEMBER_MODEL names. Raises LookupError or ValueError if there is none."""
    return apps.get_model(get('MEMBER_MODEL'))


def webhook_secrets():
    """The `whsec_…` secrets that sign now, newest first, read afresh so that a rotation needs no restart.

    WEBHOOK_SECRETS may be a list or a callable; WEBHOOK_SECRETS_FILE holds one secret a line.
    """
    own = get('WEBHOOK_SECRETS')
    secrets = list(own() if callable(own) else own)
    path = get('WEBHOOK_SECRETS_FILE')
    if path:
        with open(path, encoding='utf-8') as lines:
            secrets.extend(line.strip() for line in lines if line.strip())
    return secrets


def _merged_section(default, own):
    if own is None:
        return None
    merged = dict(default, **own)
    merged['fields'] = _merged_fields(default['fields'], own.get('fields', {}))
    return merged


def _merged_fields(default, own):
    merged = dict(default, **own)
    return {wire: path for wire, path in merged.items() if path is not None}
