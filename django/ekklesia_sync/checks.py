"""System checks: each finding has an id and says what to do."""
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.constants import LOOKUP_SEP

from ekklesia_sync import conf
from ekklesia_sync.delivery.signing import parse_secret
from ekklesia_sync.sections import filter_is_usable, get_sections, mapping_is_usable

LOOPBACK = ('localhost', '127.0.0.1', '::1')


@checks.register('ekklesia_sync')
def check_settings(app_configs, **kwargs):
    unknown = sorted(set(getattr(settings, 'EKKLESIA_SYNC', {})) - set(conf.DEFAULTS))
    found = [checks.Error(
        'EKKLESIA_SYNC has no setting named {}.'.format(name),
        hint='Correct the spelling; the README lists every setting.', id='ekklesia_sync.E001') for name in unknown]
    found += _check_mapping() + _check_numbers()
    if conf.get('DELIVERY') not in ('thread', 'command'):
        found.append(checks.Error(
            "DELIVERY is neither 'thread' nor 'command'.",
            hint="'thread' delivers from the web process; 'command' leaves it to deliver_member_events.",
            id='ekklesia_sync.E008'))
    if conf.get('DELIVERY') == 'thread' and connections[DEFAULT_DB_ALIAS].vendor == 'sqlite':
        found.append(checks.Warning(
            'The delivery thread is a second writer, and SQLite turns one of two writers away now and then.',
            hint="Use PostgreSQL, or set DELIVERY to 'command' and run deliver_member_events.",
            id='ekklesia_sync.W002'))
    if not apps.is_installed('rest_framework.authtoken'):
        found.append(checks.Error(
            'rest_framework.authtoken is not installed.',
            hint="Add 'rest_framework' and 'rest_framework.authtoken' to INSTALLED_APPS and migrate.",
            id='ekklesia_sync.E009'))
    return found


@checks.register('ekklesia_sync')
def check_webhook(app_configs, **kwargs):
    url = conf.get('WEBHOOK_URL')
    if not url:
        return [checks.Warning(
            'WEBHOOK_URL is not set: changes wait in the queue until the portal pulls them.',
            hint='Set EKKLESIA_SYNC["WEBHOOK_URL"] to the address of syncFromDjango.', id='ekklesia_sync.W001')]
    found = []
    parts = urlsplit(url)
    if parts.scheme not in ('http', 'https') or not parts.hostname:
        found.append(checks.Error(
            'WEBHOOK_URL is not an http(s) URL.', hint='It begins with https://.', id='ekklesia_sync.E004'))
    elif parts.scheme == 'http' and parts.hostname not in LOOPBACK and not conf.get('ALLOW_INSECURE_WEBHOOK'):
        found.append(checks.Error(
            'WEBHOOK_URL is plain http: members\' data would cross the network unencrypted.',
            hint='Use https://. For a closed test network only, set ALLOW_INSECURE_WEBHOOK.', id='ekklesia_sync.E005'))
    return found + _check_secrets()


@checks.register('ekklesia_sync')
def check_links(app_configs, **kwargs):
    """Django sends no signal for rows of the tables that it makes itself, so a QuerySet's writes there go unseen."""
    if not mapping_is_usable():
        return []
    return [checks.Warning(
        '{} are kept in {}, a table that Django makes: what a QuerySet adds or deletes there makes no event.'.format(
            section.name.upper(), section.through._meta.db_table),
        hint="Rows that are saved or deleted one at a time, add(), set() and the admin are seen. After {}.objects."
             "bulk_create(…) or .filter(…).delete(), call bulk.announce_updated(queryset, '{}'), or run "
             "enqueue_members. Once that is known here, name this id in SILENCED_SYSTEM_CHECKS.".format(
                 section.through.__name__, section.name),
        id='ekklesia_sync.W003')
        for section in get_sections() if section.is_many_to_many and section.through._meta.auto_created]


def _check_mapping():
    try:
        model = conf.member_model()
    except (LookupError, ValueError):
        return [checks.Error(
            'MEMBER_MODEL {!r} is not an installed model.'.format(conf.get('MEMBER_MODEL')),
            hint="Name it 'app_label.Model', and add its app to INSTALLED_APPS.", id='ekklesia_sync.E002')]
    found = []
    for section in get_sections():
        try:
            section.assert_paths()
        except FieldDoesNotExist as error:
            setting = 'FIELDS' if section.relation is None else section.name.upper()
            found.append(checks.Error(
                '{} does not fit {}: {}.'.format(setting, model._meta.label, error),
                hint='Map each wire name to a field path, or to None to leave it out; set {} to None if the registry '
                     'keeps no such data.'.format(setting), id='ekklesia_sync.E003'))
    if not filter_is_usable():
        found.append(checks.Error(
            'MEMBER_FILTER does not fit {}.'.format(model._meta.label),
            hint='Write arguments of filter(), such as {\'active\': True}.', id='ekklesia_sync.E003'))
    return found


@checks.register('ekklesia_sync')
def check_filter(app_configs, **kwargs):
    """Only the tables that the wire shows are watched, and these only for what it shows."""
    if not mapping_is_usable():
        return []
    fields = {field.name for field in conf.member_model()._meta.concrete_fields if not field.is_relation}
    through = sorted(
        path for path in conf.get('MEMBER_FILTER') if path.split(LOOKUP_SEP)[0] not in fields | {'pk'})
    return [checks.Warning(
        'MEMBER_FILTER looks at {}, which is no column of the member\'s own: a change there may make no event.'.format(path),
        hint='Filter by columns of the member, or let cron run enqueue_members, which finds who came and went.',
        id='ekklesia_sync.W004') for path in through]


def _check_secrets():
    try:
        secrets = conf.webhook_secrets()
    except OSError:
        return [checks.Error(
            'WEBHOOK_SECRETS_FILE cannot be read.',
            hint='Give the web server\'s user the right to read it; one whsec_… secret a line.',
            id='ekklesia_sync.E006')]
    if not secrets:
        return [checks.Error(
            'WEBHOOK_URL is set, but there is no secret to sign with.',
            hint='Set WEBHOOK_SECRETS or WEBHOOK_SECRETS_FILE: "whsec_" and 24 to 64 random bytes in base64.',
            id='ekklesia_sync.E006')]
    found = []
    for position, secret in enumerate(secrets, 1):
        try:
            parse_secret(secret)
        except ValueError as error:
            found.append(checks.Error(
                'Webhook secret {} cannot be used: {}.'.format(position, error),
                hint='Make one with: python -c "import base64, os; '
                     'print(\'whsec_\' + base64.b64encode(os.urandom(32)).decode())"',
                id='ekklesia_sync.E006'))
    return found


def _check_numbers():
    found = []
    for name in ('CONNECT_TIMEOUT_SECONDS', 'READ_TIMEOUT_SECONDS', 'CLAIM_SECONDS', 'PAGE_SIZE', 'MAX_PAGE_SIZE',
                 'CHANGES_LIMIT', 'MAX_CHANGES_PER_REQUEST', 'FAILURES_BEFORE_PAUSE'):
        if not _is_positive(conf.get(name)):
            found.append(checks.Error(
                '{} is not a number above zero.'.format(name), hint='Leave it out for the default of {}.'.format(
                    conf.DEFAULTS[name]), id='ekklesia_sync.E007'))
    table = conf.get('BACKOFF_SECONDS')
    if not isinstance(table, (list, tuple)) or not table or not all(_is_positive(each) for each in table):
        found.append(checks.Error(
            'BACKOFF_SECONDS is not a list of numbers above zero.',
            hint='Leave it out for the default.', id='ekklesia_sync.E007'))
    attempt = conf.get('CONNECT_TIMEOUT_SECONDS') + conf.get('READ_TIMEOUT_SECONDS') if not found else 0
    if attempt >= conf.get('CLAIM_SECONDS'):
        found.append(checks.Error(
            'CLAIM_SECONDS is shorter than one attempt may take: two workers could send one event at once.',
            hint='Make it longer than both timeouts together.', id='ekklesia_sync.E010'))
    return found


def _is_positive(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
