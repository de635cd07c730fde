"""What the tests share: a signed-in client and a member with everything."""
import base64
import hashlib
import hmac
import time

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from ekklesia_sync.models import MemberSyncQueue
from membership import models
from membership.kennitalas import make_kennitala

SECRET = 'whsec_' + base64.b64encode(b'a' * 32).decode()
OTHER_SECRET = 'whsec_' + base64.b64encode(b'b' * 32).decode()


def make_member(index=1, **values):
    fields = dict(ssn=make_kennitala(index), name='Prófun Prófsdóttir', gender=2, housing_situation=1)
    fields.update(values)
    return models.Comrade.objects.create(**fields)


def make_full_member(index=1, **values):
    """A member with a row in every section."""
    member = make_member(index, **values)
    models.ContactInfo.objects.create(comrade=member, email='gamalt@example.is', phone='5550001')
    models.LocalAddress.objects.create(comrade=member, address=make_house())
    country, _ = models.Country.objects.get_or_create(code='DK', defaults={'name': 'Danmörk'})
    models.ForeignAddress.objects.create(
        comrade=member, country=country, municipality='Aarhus', postal_code='8000', address='Testvej 1')
    union, _ = models.Union.objects.get_or_create(name='Samband prófana')
    models.UnionMembership.objects.create(comrade=member, union=union)
    title, _ = models.Title.objects.get_or_create(name='Smiður')
    member.titles.add(title)
    return member


def make_house(street='Reynigata', code=101, place='Reykjavík', number=1, letter='A'):
    postal_code, _ = models.PostalCode.objects.get_or_create(code=code, defaults={'name': place})
    municipality, _ = models.Municipality.objects.get_or_create(name=place)
    row, _ = models.Street.objects.get_or_create(name=street, postal_code=postal_code, municipality=municipality)
    return models.Address.objects.get_or_create(street=row, number=number, letter=letter)[0]


def forget_events():
    MemberSyncQueue.objects.all().delete()


def events():
    """(action, changed fields) of every row, oldest first."""
    return [(row.action, row.fields_changed) for row in MemberSyncQueue.objects.order_by('id')]


def make_client(permitted=True):
    user, _ = get_user_model().objects.get_or_create(username='sync' if permitted else 'other')
    if permitted:
        user.user_permissions.add(Permission.objects.get(codename='use_sync_api'))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION='Token ' + Token.objects.get_or_create(user=user)[0].key)
    return client


def webhook_settings(url, **more):
    return dict({'WEBHOOK_URL': url, 'WEBHOOK_SECRETS': [SECRET], 'DELIVERY': 'command',
                 'READ_TIMEOUT_SECONDS': 2}, **more)


def is_signed_by(secret, headers, body):
    """Verification written apart from the sender's code."""
    signed = b'.'.join([headers['webhook-id'].encode(), headers['webhook-timestamp'].encode(), body])
    key = base64.b64decode(secret.split('_', 1)[1])
    good = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers['webhook-timestamp'])) <= 300
    return fresh and any(hmac.compare_digest(good, each) for each in headers['webhook-signature'].split(' '))
