import ast
import os
import re
from io import StringIO
from unittest import skipUnless

from django.core.management import call_command
from django.db import connection
from django.test import SimpleTestCase, TestCase

HERE = os.path.dirname(os.path.abspath(__file__))
APP = os.path.join(HERE, '..', '..', 'ekklesia_sync')
MIGRATIONS = ('0001_initial', '0002_digests')

# What came after Django 1.11, Django REST framework 3.7 or Python 3.6. A parser cannot see these.
NEWER = [
    r'models\.JSONField', r'\bUniqueConstraint\b', r'\bCheckConstraint\b', r'\bignore_conflicts\b', r'\bbulk_update\b',
    r'from django\.urls import .*\bpath\b', r'\bchunk_size\b', r'\bno_key\b', r'select_for_update\([^)]*\bof\b',
    r'\.explain\(', r'\bFilteredRelation\b', r'@admin\.(action|display)', r'\ballowed_permissions\b',
    r'\brequest\.headers\b', r'\bdurable=', r'\bBigAutoField\b', r'\bnamed=True', r'\bHttpResponse\(.*headers=',
    r'\btransaction\.on_commit\([^)]*robust', r'\bgettext', r'\bin_bulk\(.*field_name', r'\bget_or_none\b',
    r'\bdb_comment\b', r'\bGeneratedField\b', r'\bAddConstraint\b', r'\bupdate_conflicts\b',
    r'\bhas_view_permission\b', r'\bget_session_auth\b', r'\bcaptureOnCommitCallbacks\b',
    r'\bfromisoformat\b', r'\bdataclass', r'\bcapture_output\b', r'\bbreakpoint\(', r'\bcontextvars\b', r'\btime_ns\b',
    r'\bremoveprefix\b', r'\bremovesuffix\b', r'from __future__ import annotations', r'\bcached_property\b',
    r'\bimportlib\.(metadata|resources)\b', r'\bThreadingHTTPServer\b', r'\bmath\.prod\b', r'\bzoneinfo\b',
]


def sources(root=APP):
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                with open(path, encoding='utf-8') as file:
                    yield os.path.relpath(path, root), file.read()


def imports_within(app):
    """{module: the modules of the app that it imports}, those inside functions and within tests of types included."""
    texts = {name[:-3].replace(os.sep, '.'): text for name, text in sources()}
    modules = {(app + '.' + name).replace('.__init__', '') for name in texts}
    found = {}
    for name, text in texts.items():
        own = (app + '.' + name).replace('.__init__', '')
        asked = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                asked.update([node.module] + ['{}.{}'.format(node.module, each.name) for each in node.names])
            elif isinstance(node, ast.Import):
                asked.update(each.name for each in node.names)
        found[own] = (asked & modules) - {own}
    return found


def rooms_of(imports):
    """The same between rooms: the folders, and the files beside them."""
    rooms = {}
    for module, others in imports.items():
        room = '.'.join(module.split('.')[:2])
        rooms.setdefault(room, set()).update('.'.join(each.split('.')[:2]) for each in others)
        rooms[room].discard(room)
    return rooms


def circle_in(imports):
    """What is left when everything that imports nothing that is left has been taken away."""
    left = dict(imports)
    while True:
        free = [each for each, others in left.items() if not others & set(left)]
        if not free:
            return sorted(left)
        for each in free:
            del left[each]


class OldVersions(SimpleTestCase):
    def test_every_file_is_python_3_6(self):
        files = list(sources())
        self.assertGreater(len(files), 40)
        for name, text in files:
            ast.parse(text, name, feature_version=(3, 6))

    def test_nothing_newer_than_django_1_11_is_used(self):
        for name, text in sources():
            for pattern in NEWER:
                self.assertIsNone(re.search(pattern, text), '{}: {}'.format(name, pattern))

    def test_the_test_projects_run_on_old_django_as_well(self):
        for folder in ('tests', 'legacy'):
            for name, text in sources(os.path.join(APP, '..', folder)):
                if os.path.basename(name) != os.path.basename(__file__):
                    for pattern in NEWER:
                        self.assertIsNone(re.search(pattern, text), '{}: {}'.format(name, pattern))

    def test_no_import_makes_a_circle_between_files_or_rooms(self):
        imports = imports_within('ekklesia_sync')
        self.assertGreater(sum(map(len, imports.values())), 80)
        self.assertEqual(circle_in(imports), [])
        # The package itself only says its version.
        rooms = rooms_of(imports)
        rooms.pop('ekklesia_sync', None)
        self.assertEqual(circle_in(rooms), [])
        self.assertEqual(circle_in({'a': {'b'}, 'b': {'a'}, 'c': set(), 'd': {'c'}}), ['a', 'b'])

    def test_every_file_is_small_and_every_import_is_django_or_standard(self):
        allowed = {'django', 'rest_framework', 'requests', 'ekklesia_sync'}
        standard = {'atexit', 'base64', 'binascii', 'collections', 'contextlib', 'datetime', 'email', 'functools',
                    'hashlib', 'hmac', 'json', 'logging', 'os', 'random', 're', 'signal', 'socket', 'sys', 'threading',
                    'time', 'traceback', 'unicodedata', 'urllib', 'uuid'}
        for name, text in sources():
            self.assertLess(text.count('\n'), 300, name)
            for node in ast.walk(ast.parse(text)):
                modules = []
                if isinstance(node, ast.Import):
                    modules = [each.name for each in node.names]
                elif isinstance(node, ast.ImportFrom):
                    modules = [node.module]
                for module in modules:
                    self.assertIn(module.split('.')[0], allowed | standard, name)


class Migrations(TestCase):
    def test_the_migration_is_what_the_models_say(self):
        out = StringIO()
        call_command('makemigrations', 'ekklesia_sync', check=True, dry_run=True, stdout=out)
        self.assertIn('No changes', out.getvalue())

    @skipUnless(connection.vendor == 'postgresql', 'the SQL is PostgreSQL\'s')
    def test_the_sql_that_administrators_read_is_the_sql_that_runs(self):
        names = [name[:-3] for name in os.listdir(os.path.join(APP, 'migrations')) if name[0].isdigit()]
        self.assertEqual(sorted(names), list(MIGRATIONS))
        for name in MIGRATIONS:
            out = StringIO()
            call_command('sqlmigrate', 'ekklesia_sync', name, stdout=out)
            with open(os.path.join(APP, 'sql', name + '.postgresql.sql'), encoding='utf-8') as file:
                self.assertEqual(file.read().strip(), out.getvalue().strip())
