"""One digest a member, and sums of them: two stores that hold the same members have the same sums.

A digest is the SHA-256 of the member's wire form. Of it and of the kennitala the first and the second 32 bits are added
up; a set is cut into 256 buckets by the first byte of the SHA-256 of the kennitala. That two sets with different members
agree in the count and both sums happens by chance once in 2^64.
"""
import hashlib

from django.db.models import (
    BigIntegerField, Case, CharField, Count, Max, SmallIntegerField, Sum, Value, When)
from django.db.models.functions import Coalesce

from ekklesia_sync import conf
from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.wire import build_contents, content_hash, exported_members, shared_of

# How a member becomes a digest; another one gives other sums, which say nothing about these.
SCHEME = 'wire/1'
BUCKETS = 256
# Members a round when digests are made for those who have none.
CHUNK = 500
# The mirrors leave these out: the registry marks duplicates so. They have digests, and are in no sum.
PLACEHOLDER = '9999'
# Rows a statement: two parameters for each of six columns, and SQLite once allowed 999.
ROWS_AT_ONCE = 60
SUMS = ('a', 'b', 'ka', 'kb')
COLUMNS = dict({name: BigIntegerField() for name in SUMS}, digest=CharField(), bucket=SmallIntegerField())


def bucket_of(ssn):
    """0 to 255, for a kennitala of ten digits without hyphen."""
    return _sha256(ssn)[0]


def numbers_of(ssn, digest):
    """The columns of one member's row: the bucket, and what the sums add up."""
    key = _sha256(ssn)
    content = bytes.fromhex(digest)
    return {
        'bucket': key[0], 'digest': digest, 'a': _word(content, 0), 'b': _word(content, 1),
        'ka': _word(key, 0), 'kb': _word(key, 1),
    }


def keep_digests(pks_by_ssn, using):
    """Makes each member's row say what the registry holds now; the members must be locked.

    `pks_by_ssn` is {kennitala: primary key, or None for a member who is gone}. Whoever the mirrors may not have, has no
    digest and is in no sum.
    """
    present = [pk for pk in pks_by_ssn.values() if pk is not None]
    members = {member['ssn']: content_hash(member) for member in build_contents(present, using)} if present else {}
    values = {
        ssn: numbers_of(ssn, members[ssn]) if ssn in members else dict(NOTHING, bucket=bucket_of(ssn))
        for ssn in pks_by_ssn}
    ssns = sorted(values)
    for start in range(0, len(ssns), ROWS_AT_ONCE):
        batch = ssns[start:start + ROWS_AT_ONCE]
        MemberVersion.objects.using(using).filter(ssn__in=batch).update(
            **{name: _by_ssn(field, {ssn: values[ssn][name] for ssn in batch}) for name, field in COLUMNS.items()})


def sums_of_buckets(using):
    """256 rows, and the outbox's newest id, which is read first: of what has happened since, the sums may hold a part."""
    newest = MemberSyncQueue.objects.using(using).aggregate(newest=Coalesce(Max('id'), 0))['newest']
    rows = summed_versions(using).order_by().values('bucket').annotate(
        count=Count('id'), **{'sum_' + name: Sum(name) for name in SUMS})
    found = {row['bucket']: row for row in rows}
    empty = dict({'count': 0}, **{'sum_' + name: 0 for name in SUMS})
    buckets = []
    for bucket in range(BUCKETS):
        row = found.get(bucket, empty)
        buckets.append(dict({'bucket': bucket, 'count': row['count']}, **{name: row['sum_' + name] for name in SUMS}))
    return {'scheme': SCHEME, 'newest_version': newest, 'buckets': buckets}


def summed_versions(using):
    return MemberVersion.objects.using(using).exclude(digest='').exclude(ssn__startswith=PLACEHOLDER)


def members_without(using):
    """Primary keys of the members who have no digest yet: those of before the installation of this app.

    Of several rows with one kennitala the first has one, and a row without a kennitala never: it is in no mirror.
    """
    known = MemberVersion.objects.using(using).exclude(digest='').filter(django_id__isnull=False)
    rows = exported_members(using).exclude(pk__in=known.values('django_id')).order_by('pk')
    ssns = {pk: without_hyphen(ssn) for pk, ssn in rows.values_list('pk', conf.get('FIELDS')['ssn'])}
    shared = shared_of(ssns.values(), using)
    return [pk for pk, ssn in ssns.items() if shared.get(ssn) == pk]


def _sha256(text):
    return hashlib.sha256(text.encode('utf-8')).digest()


def _by_ssn(field, values):
    return Case(*[When(ssn=ssn, then=Value(value)) for ssn, value in sorted(values.items())], output_field=field)


def _word(digest, place):
    return int.from_bytes(digest[4 * place:4 * place + 4], 'big')


NOTHING = {'digest': '', 'a': 0, 'b': 0, 'ka': 0, 'kb': 0}
