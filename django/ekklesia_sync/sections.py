"""The parts of a wire `Member`, each loaded for many members by one query.

A section knows where its part lies (the mapping in the settings) and which models' changes touch it.
Reading by `values_list` over the mapped paths keeps the number of queries at one a section, whatever
the size of the page, and needs no method of the registry's own models.
"""
from collections import OrderedDict

from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db.models.constants import LOOKUP_SEP

from ekklesia_sync import conf
from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.times import as_wire


class ScalarSection(object):
    """The member's own fields."""

    name = 'member'
    relation = None
    is_many_to_many = False

    def __init__(self, model, fields):
        self.model = model
        self.fields = OrderedDict(sorted(fields.items()))

    def assert_paths(self):
        for path in self.fields.values():
            assert_path(self.model, path)

    def load(self, pks, using):
        """{member pk: {wire key: value}}, for the members that exist."""
        rows = self.model._base_manager.using(using).filter(pk__in=pks)
        found = {
            row[0]: {key: as_wire(value) for key, value in zip(self.fields, row[1:])}
            for row in rows.values_list('pk', *self.fields.values())
        }
        for value in found.values():
            # With and without a hyphen is one number; the wire has one spelling of it.
            value['ssn'] = without_hyphen(value['ssn'])
        return found

    def whole(self, value):
        """The value as a part of a wire member."""
        return dict(value)

    def changes(self, before, after):
        """The keys whose value is another now, with the new value; all of them when there was none before."""
        before = before or {}
        return {key: value for key, value in after.items() if before.get(key, _ABSENT) != value}


class RelatedSection(object):
    """Rows of another model that belong to a member: one to one, one to many, or many to many."""

    def __init__(self, name, model, relation, fields, row_filter):
        self.name = name
        self.model = model
        self.relation = relation
        self.fields = OrderedDict(sorted(fields.items()))
        self.row_filter = row_filter

    @property
    def field(self):
        return self.model._meta.get_field(self.relation)

    @property
    def row_model(self):
        return self.field.related_model

    @property
    def is_many_to_many(self):
        return bool(self.field.many_to_many)

    @property
    def many_to_many(self):
        """The field that declares the relation, on whichever model it stands."""
        return self.field if hasattr(self.field, 'm2m_field_name') else self.field.field

    @property
    def through(self):
        """The model of the link table: the registry's own, or one that Django makes."""
        return self.many_to_many.remote_field.through

    @property
    def owner_field(self):
        """The row's own field that points at the member."""
        return self.field.remote_field

    def assert_paths(self):
        # Many to many may be declared on either model; other rows must point at the member themselves.
        if self.field.related_model is None or not (self.field.many_to_many or (
                self.field.auto_created and (self.field.one_to_many or self.field.one_to_one))):
            raise FieldDoesNotExist('{} is not a relation to rows that belong to the member'.format(self.relation))
        for path in list(self.fields.values()) + list(self.row_filter):
            assert_path(self.row_model, path)

    def load(self, pks, using):
        """{member pk: value of the section} for every pk asked for."""
        found = {}
        for row in self._rows(pks, using):
            value = OrderedDict((key, as_wire(cell)) for key, cell in zip(self.fields, row[1:]))
            found.setdefault(row[0], []).append(value)
        return {pk: self._shape(found.get(pk, [])) for pk in pks}

    def whole(self, value):
        return {self.name: value}

    def changes(self, before, after):
        if before == after:
            return {}
        if self.name == 'contact_info':
            return {self.name: {key: value for key, value in after.items() if before.get(key) != value}}
        return self.whole(after)

    def _rows(self, pks, using):
        if self.is_many_to_many:
            prefix = self.relation + LOOKUP_SEP
            where = {prefix + path: value for path, value in self.row_filter.items()}
            where[prefix + 'isnull'] = False
            rows = self.model._base_manager.using(using).filter(pk__in=pks, **where)
            paths = [prefix + path for path in self.fields.values()]
            return rows.order_by('pk', prefix + 'pk').values_list('pk', *paths)
        owner = self.owner_field
        where = dict(self.row_filter, **{owner.name + '__in': pks})
        rows = self.row_model._base_manager.using(using).filter(**where)
        rows = rows.order_by('pk', *self._links()).values_list('pk', owner.attname, *self.fields.values())
        # A path over rows that point back (the municipalities of a postal code) gives one row for each: the first counts.
        seen = set()
        return [row[1:] for row in rows if not (row[0] in seen or seen.add(row[0]))]

    def _links(self):
        """What orders the rows that a path leads to backwards: their primary keys."""
        found = []
        for path in self.fields.values():
            model, steps = self.row_model, path.split(LOOKUP_SEP)
            for count, step in enumerate(steps, 1):
                if model is None or step == 'pk':
                    break
                field = model._meta.get_field(step)
                if field.one_to_many or field.many_to_many:
                    found.append(LOOKUP_SEP.join(steps[:count] + ['pk']))
                model = field.related_model
        return found

    def _shape(self, rows):
        if self.name == 'contact_info':
            # No row is a statement too: the registry has no contact, and the mirror must not keep an old one.
            return rows[-1] if rows else OrderedDict((key, '') for key in self.fields)
        if self.name == 'local_address':
            return rows[-1] if rows else None
        return rows


def get_sections():
    """The sections that the settings map, the member's own fields first."""
    model = conf.member_model()
    sections = [ScalarSection(model, conf.get('FIELDS'))]
    for setting in conf.SECTION_SETTINGS:
        mapping = conf.get(setting)
        if mapping and mapping.get('relation'):
            sections.append(RelatedSection(
                setting.lower(), model, mapping['relation'], mapping['fields'], mapping['filter']))
    return sections


def mapping_is_usable():
    """Whether every mapped field and relation exists on the models, and members can be filtered as the settings say."""
    try:
        for section in get_sections():
            section.assert_paths()
        return filter_is_usable()
    except (LookupError, ValueError, FieldDoesNotExist):
        return False


def filter_is_usable():
    try:
        conf.member_model()._default_manager.filter(**conf.get('MEMBER_FILTER'))
        return True
    except (FieldError, TypeError, ValueError, ValidationError):
        return False


def assert_path(model, path):
    """Raises FieldDoesNotExist unless `a__b__c` can be read from the model."""
    for step in path.split(LOOKUP_SEP):
        if model is None:
            raise FieldDoesNotExist('{} goes on after a plain field'.format(path))
        if step == 'pk':
            model = None
        else:
            model = model._meta.get_field(step).related_model


_ABSENT = object()
