"""Reads contract/, and checks values against its schemas with the few keywords that they use."""
import json
import os
import re

CONTRACT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'contract')
NO_RULE = {'$schema', '$defs', 'title', 'description', '$ref', 'if', 'then', 'anyOf'}
TYPES = {
    'object': lambda value: isinstance(value, dict),
    'array': lambda value: isinstance(value, list),
    'string': lambda value: isinstance(value, str),
    'integer': lambda value: isinstance(value, int) and not isinstance(value, bool),
    'boolean': lambda value: isinstance(value, bool),
    'null': lambda value: value is None,
}


def read(name):
    with open(os.path.join(CONTRACT, name), encoding='utf-8') as file:
        return json.load(file)


def names(folder):
    return sorted(os.listdir(os.path.join(CONTRACT, folder)))


def faults(value, schema_name):
    """The faults of a value, as 'path: rule'; empty when it is valid."""
    root = read('schemas/' + schema_name)
    return list(_check(value, root, root, '$'))


def _check(value, schema, root, path):
    if '$ref' in schema:
        target = schema['$ref']
        if target.startswith('#/'):
            yield from _check(value, root['$defs'][target.rsplit('/', 1)[1]], root, path)
        else:
            other = read('schemas/' + target)
            yield from _check(value, other, other, path)
    if 'anyOf' in schema and all(list(_check(value, each, root, path)) for each in schema['anyOf']):
        yield '{}: anyOf'.format(path)
    if 'if' in schema and not list(_check(value, schema['if'], root, path)):
        yield from _check(value, schema['then'], root, path)
    for keyword, rule in schema.items():
        if keyword not in NO_RULE:
            yield from RULES[keyword](value, rule, root, path)


def _type(value, rule, root, path):
    if not any(TYPES[each](value) for each in ([rule] if isinstance(rule, str) else rule)):
        yield '{}: type'.format(path)


def _properties(value, rule, root, path):
    if isinstance(value, dict):
        for key, schema in rule.items():
            if key in value:
                yield from _check(value[key], schema, root, '{}.{}'.format(path, key))


def _items(value, rule, root, path):
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _check(each, rule, root, '{}[{}]'.format(path, index))


def _simple(name, holds):
    def rule_of(value, rule, root, path):
        if not holds(value, rule):
            yield '{}: {}'.format(path, name)
    return rule_of


RULES = {
    'type': _type,
    'properties': _properties,
    'items': _items,
    'required': _simple('required', lambda value, rule: not isinstance(value, dict) or set(rule) <= set(value)),
    'enum': _simple('enum', lambda value, rule: any(value == each and type(value) is type(each) for each in rule)),
    'pattern': _simple('pattern', lambda value, rule: not isinstance(value, str) or bool(re.search(rule, value))),
    'minimum': _simple('minimum', lambda value, rule: not isinstance(value, int) or value >= rule),
    'maxLength': _simple('maxLength', lambda value, rule: not isinstance(value, str) or len(value) <= rule),
    'minProperties': _simple('minProperties', lambda value, rule: not isinstance(value, dict) or len(value) >= rule),
}
