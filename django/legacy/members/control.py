"""Edits by HTTP, with the orders and answers of ../../tests/membership/control.py. Each is one transaction that saves
the member first and the rows beside it afterwards, as the admin does.

    create   {"ssn", "name"?, "email"?}            edit      {"ssn", "name"?, "reachable"?, "groupable"?, "email"?, …}
    delete   {"ssn"}                               burst     {"count", "label"?}: that many edits of different members
    rollback {"ssn", "email"}: an edit whose transaction fails, after the webhook
    silent   {"ssn", "name"}: an edit that no signal sees
    correct  {"ssn", "to"}: another kennitala for the same member
    queue    {"ssn", "action"}: a row in the old queue, whatever the registry holds

An answer also says what became of each webhook that was sent meanwhile.
"""
import json

from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from members import webhook
from members.models import Comrade, ContactInfo, MemberSyncQueue

OWN, CONTACT = ('name', 'reachable', 'groupable'), ('email', 'phone', 'foreign_phone', 'facebook')


@csrf_exempt
def control(request, action):
    order = json.loads(request.body.decode('utf-8') or '{}')
    del webhook.outcomes[:]
    with transaction.atomic():
        changed = ACTIONS[action](order)
    return JsonResponse({'action': action, 'changed': changed, 'webhooks': webhook.outcomes})


def create(order):
    return _save(Comrade(ssn=order['ssn'], name='Nýr Félagi'), order)


def edit(order):
    return _save(Comrade.objects.get(ssn=order['ssn']), order)


def delete(order):
    Comrade.objects.get(ssn=order['ssn']).delete()
    return 1


def burst(order):
    members = Comrade.objects.exclude(ssn__startswith='9999').order_by('pk')[:order['count']]
    for number, member in enumerate(members):
        _save(member, {'name': '{} {}'.format(order.get('label', 'Hrina'), number)})
    return len(members)


def rollback(order):
    try:
        with transaction.atomic():
            edit(order)
            raise ZeroDivisionError
    except ZeroDivisionError:
        return 0


def silent(order):
    return Comrade.objects.filter(ssn=order['ssn']).update(name=order['name'])


def correct(order):
    member = Comrade.objects.get(ssn=order['ssn'])
    member.ssn = order['to']
    return _save(member, {})


def queue(order):
    MemberSyncQueue.objects.create(ssn=order['ssn'], action=order['action'])
    return 1


def _save(member, order):
    for key in OWN:
        if key in order:
            setattr(member, key, order[key])
    member.save()
    contact = {key: order[key] for key in CONTACT if key in order}
    if contact:
        ContactInfo.objects.update_or_create(comrade=member, defaults=contact)
    return 1


ACTIONS = {'create': create, 'edit': edit, 'delete': delete, 'burst': burst, 'rollback': rollback, 'silent': silent,
           'correct': correct, 'queue': queue}
