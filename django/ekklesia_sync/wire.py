"""A member as it crosses the wire: the first spelling of the contract's `Member`."""
import hashlib
import json

from ekklesia_sync import conf
from ekklesia_sync.kennitala import spellings
from ekklesia_sync.models import MemberVersion
from ekklesia_sync.sections import get_sections


def exported_members(using):
    """The members that the mirrors may have: the model's default manager and MEMBER_FILTER."""
    return conf.member_model()._default_manager.using(using).filter(**conf.get('MEMBER_FILTER'))


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
    """The wire member with this kennitala (either spelling), or None."""
    path = conf.get('FIELDS')['ssn']
    pk = exported_members(using).filter(**{path + '__in': spellings(ssn)}).values_list('pk', flat=True).first()
    built = build_members([pk], using) if pk is not None else []
    return built[0] if built else None


def content_hash(member):
    """The member's digest: SHA-256 of its wire form without version and digest. Equal content, equal hash."""
    content = {key: value for key, value in member.items() if key not in ('version', 'digest')}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode('utf-8')).hexdigest()
