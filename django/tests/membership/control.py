"""Edits by HTTP, so that the end-to-end suite changes members inside the real server process.

    POST /control/<action>/   JSON in and out; only with REGISTRY_CONTROL=true

    create   {"ssn", "name"?}                      edit      {"ssn", "name"?, "reachable"?, "email"?, "phone"?}
    delete   {"ssn"}                               burst     {"count", "label"?}: that many edits of different members
    rollback {"ssn", "email"}: an edit whose transaction fails
    silent   {"ssn", "name"}: an edit that no signal sees
"""
import json

from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from membership.models import Comrade, ContactInfo

OWN, CONTACT = ('name', 'reachable', 'groupable'), ('email', 'phone', 'foreign_phone', 'facebook')


@csrf_exempt
def control(request, action):
    order = json.loads(request.body.decode('utf-8') or '{}')
    return JsonResponse({'action': action, 'changed': ACTIONS[action](order)})


def create(order):
    Comrade.objects.create(ssn=order['ssn'], name=order.get('name', 'Nýr Félagi'))
    return 1


@transaction.atomic
def edit(order):
    member = Comrade.objects.get(ssn=order['ssn'])
    own = [key for key in OWN if key in order]
    contact = [key for key in CONTACT if key in order]
    if own:
        for key in own:
            setattr(member, key, order[key])
        member.save()
    if contact:
        row, _ = ContactInfo.objects.get_or_create(comrade=member)
        for key in contact:
            setattr(row, key, order[key])
        row.save()
    return 1


def delete(order):
    Comrade.objects.get(ssn=order['ssn']).delete()
    return 1


def burst(order):
    members = Comrade.objects.exclude(ssn__startswith='9999').order_by('pk')[:order['count']]
    for number, member in enumerate(members):
        member.name = '{} {}'.format(order.get('label', 'Hrina'), number)
        member.save()
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


ACTIONS = {'create': create, 'edit': edit, 'delete': delete, 'burst': burst, 'rollback': rollback, 'silent': silent}
