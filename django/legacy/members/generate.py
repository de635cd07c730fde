"""Fills the old registry with generated members, many of whom have older values in the tables that only some calls read."""
import random

from members import models
from membership.kennitalas import make_birthday, make_kennitala

FIRST = ['Anna', 'Birna', 'Dísa', 'Eva', 'Freyja', 'Arnar', 'Bjarni', 'Daði', 'Egill', 'Flóki']
STREETS = ['Reynigata', 'Birkigata', 'Víðigata']
PLACES = [(101, 'Reykjavík'), (600, 'Akureyri'), (220, 'Hafnarfjörður')]
DENMARK = 45


def generate(count, seed, placeholders=0):
    """Makes `count` members and the placeholders (9999…) beside them, by bulk inserts: no signal is sent."""
    source = random.Random(seed)
    houses, unions, titles = _references()
    ssns = [make_kennitala(index) for index in range(count)]
    ssns += ['9999{:06d}'.format(index) for index in range(placeholders)]
    models.Comrade.objects.bulk_create([_comrade(ssn, source) for ssn in ssns])
    comrades = list(models.Comrade.objects.order_by('pk'))
    models.ContactInfo.objects.bulk_create([
        models.ContactInfo(comrade=each, email='felagi{}@example.is'.format(each.pk),
                           phone='555{:04d}'.format(source.randrange(10000)))
        for each in comrades if source.random() < 0.98])
    models.NewLocalAddress.objects.bulk_create([
        models.NewLocalAddress(comrade=each, country_id=models.ICELAND, address=source.choice(houses))
        for each in comrades if source.random() < 0.9])
    models.NewForeignAddress.objects.bulk_create([
        models.NewForeignAddress(comrade=each, country_id=DENMARK, municipality='Þorp', postal_code='8000',
                                 address='Testvej {}'.format(source.randrange(1, 99)))
        for each in comrades if source.random() < 0.05])
    models.UnionMembership.objects.bulk_create([
        models.UnionMembership(comrade=each, union=source.choice(unions)) for each in comrades if source.random() < 0.5])
    models.ComradeTitle.objects.bulk_create([
        models.ComradeTitle(comrade=each, title=source.choice(titles)) for each in comrades if source.random() < 0.4])
    _older_values(comrades, source)


def _older_values(comrades, source):
    with_email = [each for each in comrades if source.random() < 0.4]
    models.Email.objects.bulk_create([models.Email(email='gamalt{}@example.is'.format(each.pk)) for each in with_email])
    emails = list(models.Email.objects.order_by('pk'))
    through = models.Comrade.emails.through
    through.objects.bulk_create([
        through(comrade_id=each.pk, email_id=email.pk) for each, email in zip(with_email, emails)])
    models.SimpleAddress.objects.bulk_create([
        models.SimpleAddress(comrade=each, street_address='Gamlagata {}'.format(source.randrange(1, 99)),
                             postal_code='104', city='Reykjavík')
        for each in comrades if source.random() < 0.5])


def _references():
    models.Country.objects.bulk_create([
        models.Country(pk=models.ICELAND, name='Ísland'), models.Country(pk=DENMARK, name='Danmörk')])
    houses = []
    for code, place in PLACES:
        postal_code = models.PostalCode.objects.create(code=code, name=place)
        models.MunicipalityPostalCode.objects.create(
            municipality=models.Municipality.objects.create(name=place), postal_code=postal_code)
        for name in STREETS:
            street = models.Street.objects.create(name=name, postal_code=postal_code)
            houses += [models.Address.objects.create(street=street, number=number) for number in (1, 2, 3)]
    unions = [models.Union.objects.create(name=name) for name in ('Félag gerviverkafólks', 'Samband prófana')]
    titles = [models.Title.objects.create(name=name) for name in ('Smiður', 'Kennari', 'Forritari')]
    return houses, unions, titles


def _comrade(ssn, source):
    first = source.choice(FIRST)
    return models.Comrade(
        ssn=ssn, name='{} {}s'.format(first, source.choice(FIRST)),
        birthday=None if ssn.startswith('9999') else make_birthday(ssn),
        gender=source.choice([None, 0, 1, 2, 3]), housing_situation=source.choice([None] + list(range(7))),
        reachable=source.random() < 0.7, groupable=source.random() < 0.5)

