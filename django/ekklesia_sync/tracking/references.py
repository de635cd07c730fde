"""The models that a section reads through foreign keys: streets, postal codes, countries, unions, titles.

Renaming a street changes every member who lives there. `references_of` derives, from the mapped paths,
which models those are, which of their attributes reach the wire, and how to find the members.
"""
from django.db.models.constants import LOOKUP_SEP


class Reference(object):
    """`lookup` leads from the member to the model; `attributes` are what the wire shows of it.

    `is_linking`: its own rows point back at what the member shows (a postal code's municipalities), so that
    a new row of it can change members too.
    """

    def __init__(self, section, model, lookup, is_linking=False):
        self.section = section
        self.model = model
        self.lookup = lookup
        self.is_linking = is_linking
        self.attributes = set()

    def members_of(self, instance, using):
        """The pks of the members whose section shows this instance."""
        member = self.section.model
        rows = member._base_manager.using(using).filter(**{self.lookup: instance.pk})
        return set(rows.values_list('pk', flat=True))

    def visible_state(self, instance, using):
        """What the database holds of the attributes on the wire, or None before the first save."""
        rows = self.model._base_manager.using(using).filter(pk=instance.pk)
        return rows.values_list(*sorted(self.attributes)).first()


def references_of(section):
    """Every Reference of a related section."""
    found = {}
    start_lookup, start_model = section.relation, section.row_model
    paths = list(section.fields.values()) + list(section.row_filter)
    for path in paths:
        lookup, model, owner = start_lookup, start_model, start_lookup
        for step in path.split(LOOKUP_SEP):
            field = None if step == 'pk' else model._meta.get_field(step)
            _note_attribute(found, section, owner, lookup, model, field, start_lookup)
            if field is None or field.related_model is None:
                break
            lookup = owner = lookup + LOOKUP_SEP + step
            model = field.related_model
            reference = found.setdefault(lookup, Reference(section, model, lookup, points_back(field)))
            # Also for a key that is itself the wire's value: its deletion sets the column to null.
            reference.attributes.add('pk')
            if reference.is_linking:
                reference.attributes.add(field.field.attname)
    if section.is_many_to_many:
        _shared_rows(found, section, start_lookup, start_model, paths)
    return [reference for reference in found.values() if reference.attributes]


def points_back(field):
    """Whether a step of a path leads to the rows whose foreign key points here."""
    return field.auto_created and not field.concrete and not field.many_to_many


def _note_attribute(found, section, owner, lookup, model, field, start_lookup):
    if field is None:
        return
    if owner != start_lookup:
        if points_back(field):
            return  # the rows that point back are watched themselves
        reference = found.setdefault(lookup, Reference(section, model, lookup))
        reference.attributes.add(field.attname if hasattr(field, 'attname') else field.name)
        return
    # A row kept in two tables (multi-table inheritance) can be saved through its parent alone.
    parent = field.model
    if parent is not model and parent in model._meta.parents and not section.is_many_to_many:
        link = model._meta.get_ancestor_link(parent)
        key = lookup + LOOKUP_SEP + link.name
        reference = found.setdefault(key, Reference(section, parent, key))
        reference.attributes.add(field.attname)


def _shared_rows(found, section, lookup, model, paths):
    reference = found.setdefault(lookup, Reference(section, model, lookup))
    for path in paths:
        step = path.split(LOOKUP_SEP)[0]
        if step != 'pk':
            reference.attributes.add(model._meta.get_field(step).attname)
