"""A member as it crosses the wire: the first spelling of the contract's `Member`."""
import hashlib
import json

from django.db.models.constants import LOOKUP_SEP

from ekklesia_sync import conf
from ekklesia_sync.kennitala import bare_in_database, is_trackable, spellings, without_hyphen
from ekklesia_sync.models import MemberVersion
from ekklesia_sync.sections import get_sections


# Kennitalas a query, each in two spellings: SQLite once allowed 999 parameters.
SSNS_AT_ONCE = 400


def exported_members(using):
    """The members that the mirrors may have: the model's default manager and MEMBER_FILTER."""
    members = conf.member_model()._default_manager.using(using)
    row_filter = conf.get('MEMBER_FILTER')
    if not any(LOOKUP_SEP in path for path in row_filter):
        return members.filter(**row_filter)
    # A filter that leads to rows of another table would give a member once for each of them.
    return members.filter(pk__in=members.order_by().filter(**row_filter).values('pk'))


def shared_of(ssns, using):
    """{kennitala: primary key} of those whom the mirrors may have. Where several rows have one number, the first counts.

    The spellings that are likely are looked up by the column's index, and only who is not found by reading the table.
    """
    path = conf.get('FIELDS')['ssn']
    wanted = sorted(ssn for ssn in set(ssns) if is_trackable(ssn))
    found = {}
    for start in range(0, len(wanted), SSNS_AT_ONCE):
        batch = wanted[start:start + SSNS_AT_ONCE]
        _note_first(found, exported_members(using).filter(
            **{path + '__in': [spelling for ssn in batch for spelling in spellings(ssn)]}).values_list(path, 'pk'))
        missing = [ssn for ssn in batch if ssn not in found]
        if missing:
            bare = exported_members(using).annotate(ekklesia_ssn=bare_in_database(path))
            _note_first(found, bare.filter(ekklesia_ssn__in=missing).values_list(path, 'pk'))
    return found


def _note_first(found, rows):
    for ssn, pk in rows.order_by('pk'):
        found.setdefault(without_hyphen(ssn), pk)


def build_members(pks, using):
    """Wire members with version and digest for these primary keys, in their order; one query a section and two more.

    The version is read before the data. A change that commits between the two then shows newer data
    under an older version, which the next event repairs; the other way round, older data under a newer
    version, would make the portal drop that event as stale.
    """
    versions = dict(
        MemberVersion.objects.using(using).filter(django_id__in=pks).order_by('version')
        .values_list('django_id', 'version'))
    members = build_contents(pks, using)
    for member in members:
        member['digest'] = content_hash(member)
        member['version'] = versions.get(member['id'], 0)
    return members


def build_contents(pks, using):
    """The same without version and digest."""
    sections = get_sections()
    visible = set(exported_members(using).filter(pk__in=pks).values_list('pk', flat=True))
    values = [(section, section.load(pks, using)) for section in sections]
    scalars = values[0][1]
    members = []
    for pk in pks:
        if pk not in visible or pk not in scalars:
            continue
        member = {'id': pk}
        member.update(scalars[pk])
        for section, loaded in values[1:]:
            member[section.name] = loaded[pk]
        members.append(member)
    return members


def find_member(ssn, using):
    """The wire member with this kennitala (whatever its spelling), or None."""
    pk = shared_of([without_hyphen(ssn)], using).get(without_hyphen(ssn))
    built = build_members([pk], using) if pk is not None else []
    return built[0] if built else None


def content_hash(member):
    """The member's digest: SHA-256 of its wire form without version and digest. Equal content, equal hash."""
    content = {key: value for key, value in member.items() if key not in ('version', 'digest')}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode('utf-8')).hexdigest()
