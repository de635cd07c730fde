"""Fills the registry with generated members."""
import random

from django.db import connection

from membership import models
from membership.kennitalas import make_birthday, make_kennitala

FIRST = ['Anna', 'Birna', 'Dísa', 'Eva', 'Freyja', 'Arnar', 'Bjarni', 'Daði', 'Egill', 'Flóki']
STREETS = ['Reynigata', 'Birkigata', 'Víðigata', 'Asparstígur', 'Lyngvegur']
PLACES = [(101, 'Reykjavík'), (600, 'Akureyri'), (220, 'Hafnarfjörður'), (400, 'Ísafjörður')]
UNIONS = ['Félag gerviverkafólks', 'Samband prófana']
TITLES = ['Smiður', 'Kennari', 'Forritari']
COUNTRIES = [('Danmörk', 'DK'), ('Noregur', 'NO')]
BATCH = 1000


def generate(count, seed, placeholders=0):
    """Makes `count` members and the placeholders (9999…) beside them, by bulk inserts: no events are written."""
    source = random.Random(seed)
    start = models.Comrade.objects.count()
    houses, unions, titles, countries = _references(source)
    ssns_of_all = [make_kennitala(index) for index in range(start, start + count)]
    ssns_of_all += ['9999{:06d}'.format(index) for index in range(start + count, start + count + placeholders)]
    for first in range(0, len(ssns_of_all), BATCH):
        ssns = ssns_of_all[first:first + BATCH]
        models.Comrade.objects.bulk_create([_comrade(ssn, source) for ssn in ssns])
        comrades = list(models.Comrade.objects.filter(ssn__in=ssns).order_by('pk'))
        models.ContactInfo.objects.bulk_create([_contact(comrade, source) for comrade in comrades])
        models.UnionMembership.objects.bulk_create([
            models.UnionMembership(comrade=comrade, union=source.choice(unions))
            for comrade in comrades if source.random() < 0.5])
        through = models.Comrade.titles.through
        through.objects.bulk_create([
            through(comrade_id=comrade.pk, title_id=source.choice(titles).pk)
            for comrade in comrades if source.random() < 0.4])
        _addresses(comrades, houses, countries, source)


def _references(source):
    unions = [models.Union.objects.get_or_create(name=name)[0] for name in UNIONS]
    titles = [models.Title.objects.get_or_create(name=name)[0] for name in TITLES]
    countries = [models.Country.objects.get_or_create(code=code, defaults={'name': name})[0]
                 for name, code in COUNTRIES]
    houses = []
    for code, place in PLACES:
        postal_code, _ = models.PostalCode.objects.get_or_create(code=code, defaults={'name': place})
        municipality, _ = models.Municipality.objects.get_or_create(name=place)
        for name in STREETS:
            street, _ = models.Street.objects.get_or_create(
                name=name, postal_code=postal_code, municipality=municipality)
            for number in (1, 2, 3):
                houses.append(models.Address.objects.get_or_create(
                    street=street, number=number, letter=source.choice(['', 'A']))[0])
    return houses, unions, titles, countries


def _comrade(ssn, source):
    first = source.choice(FIRST)
    return models.Comrade(
        ssn=ssn, name='{} {}s'.format(first, source.choice(FIRST)),
        birthday=None if ssn.startswith('9999') else make_birthday(ssn),
        gender=source.randrange(4), housing_situation=source.randrange(7),
        reachable=source.random() < 0.7, groupable=source.random() < 0.5)


def _contact(comrade, source):
    return models.ContactInfo(
        comrade=comrade, email='felagi{}@example.is'.format(comrade.pk),
        phone='555{:04d}'.format(source.randrange(10000)))


def _addresses(comrades, houses, countries, source):
    local = [(comrade.pk, source.choice(houses).pk) for comrade in comrades if source.random() < 0.9]
    foreign = [
        (comrade.pk, source.choice(countries).pk, 'Þorp', '8000', 'Testvej {}'.format(source.randrange(1, 99)))
        for comrade in comrades if source.random() < 0.05]
    _insert_children(models.LocalAddress, ('comrade_id', 'address_id'), local)
    _insert_children(
        models.ForeignAddress, ('comrade_id', 'country_id', 'municipality', 'postal_code', 'address'), foreign)


def _insert_children(model, columns, rows):
    """Bulk-inserts rows that lie in two tables, which the ORM's bulk_create refuses. One writer at a time."""
    parents = models.ComradeAddress.objects
    parents.bulk_create([models.ComradeAddress() for _ in rows])
    pks = sorted(parents.order_by('-pk').values_list('pk', flat=True)[:len(rows)])
    sql = 'INSERT INTO {} ({}) VALUES ({})'.format(
        model._meta.db_table, ', '.join(('comradeaddress_ptr_id',) + columns),
        ', '.join(['%s'] * (len(columns) + 1)))
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(pk,) + row for pk, row in zip(pks, rows)])
