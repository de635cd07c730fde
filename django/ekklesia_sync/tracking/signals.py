"""Connects the registry's models to the outbox."""
import functools

from django.apps import apps
from django.db.models import signals

from ekklesia_sync.tracking import handlers
from ekklesia_sync.tracking.atomic_saves import make_saves_atomic, watch_links
from ekklesia_sync.tracking.members import outbox_database
from ekklesia_sync.tracking.references import references_of
from ekklesia_sync.sections import get_sections


def connect():
    """Connects every handler; safe to call twice."""
    member_section = get_sections()[0]
    _connect_all(handlers.MemberHandler(member_section), _family(member_section.model), 'member')
    for section in get_sections()[1:]:
        if section.is_many_to_many:
            _connect_many_to_many(section)
        else:
            _connect_all(handlers.RowHandler(section, section.owner_field), _family(section.row_model), section.name)
        for reference in references_of(section):
            handler = handlers.ReferenceHandler(reference)
            _connect_all(handler, _proxies(reference.model), section.name + ':' + reference.lookup)


def _connect_many_to_many(section):
    many_to_many, through = section.many_to_many, section.through
    declared_here = many_to_many is section.field
    handler = handlers.ManyToManyHandler(section, member_is_forward=declared_here)
    signals.m2m_changed.connect(
        _in_outbox_database(handler.changed), sender=through, weak=False, dispatch_uid=_uid('m2m', section.name))
    name = many_to_many.m2m_field_name() if declared_here else many_to_many.m2m_reverse_field_name()
    rows = handlers.RowHandler(section, through._meta.get_field(name))
    if through._meta.auto_created:
        watch_links(through, section.name, rows)
    else:
        _connect_all(rows, _family(through), section.name)


def _connect_all(handler, models, name):
    for model in models:
        make_saves_atomic(model)
        for moment in ('pre_save', 'post_save', 'pre_delete', 'post_delete'):
            getattr(signals, moment).connect(
                _in_outbox_database(getattr(handler, moment)),
                sender=model, weak=False, dispatch_uid=_uid(moment, name, model))


def _in_outbox_database(receiver):
    """Leaves alone what the project writes to another database (an archive, a copy): no outbox stands there."""
    @functools.wraps(receiver)
    def guarded(**kwargs):
        if kwargs['using'] == outbox_database():
            receiver(**kwargs)
    return guarded


def _family(model):
    """The model, its proxies and its multi-table children: each sends signals under its own name."""
    return [each for each in apps.get_models() if issubclass(each, model)]


def _proxies(model):
    return [each for each in apps.get_models() if each._meta.concrete_model is model]


def _uid(*parts):
    return 'ekklesia_sync:' + ':'.join(str(part) for part in parts)
