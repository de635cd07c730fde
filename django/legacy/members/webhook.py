"""The old webhook: sent by the member model's signals alone, before the commit, once, with ten seconds to answer.

Whoever answers by asking back meets the state before the change, and with one worker process gets no answer until the
ten seconds are over.
"""
import json
import logging
import time

import requests
from django.conf import settings
from django.db.models import signals

from members.models import Comrade, MemberSyncQueue
from members.wire import whole_member

log = logging.getLogger('members')
# What became of each webhook of this process, for the control API: the status (None: no answer), and how long it took.
outcomes = []


def connect():
    signals.post_save.connect(_saved, sender=Comrade, dispatch_uid='members.webhook.saved')
    signals.post_delete.connect(_deleted, sender=Comrade, dispatch_uid='members.webhook.deleted')


def _saved(sender, instance, created, raw, **kwargs):
    if raw:
        return
    member = whole_member(instance.pk)
    fields = {key: member[key] for key in ('name', 'birthday', 'gender', 'housing_situation')}
    _tell(instance, 'create' if created else 'update', {} if created else fields, member)


def _deleted(sender, instance, **kwargs):
    _tell(instance, 'delete', {'ssn': instance.ssn}, None)


def _tell(instance, action, fields, data):
    ssn = instance.ssn.replace('-', '')
    MemberSyncQueue.objects.create(
        member=None if action == 'delete' else instance, ssn=ssn, action=action, fields_changed_json=json.dumps(fields))
    if ssn.startswith('9999') or not settings.WEBHOOK_URL or not settings.SYNC_API_KEY:
        return
    body = {'kennitala': ssn, 'action': action}
    if data:
        body['data'] = data
    started, status = time.time(), None
    try:
        answer = requests.post(
            settings.WEBHOOK_URL, json=body, timeout=settings.WEBHOOK_TIMEOUT_SECONDS,
            headers={'Authorization': 'Bearer ' + settings.SYNC_API_KEY})
        status = answer.status_code
        if status != 200:
            log.error('webhook refused with %s; nobody tries again', status)
    except requests.exceptions.RequestException as problem:
        log.error('webhook lost: %s; nobody tries again', type(problem).__name__)
    outcomes.append({'status': status, 'milliseconds': round(1000 * (time.time() - started))})
