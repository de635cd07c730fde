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
SQL = os.path.join(APP, 'sql', '0001_initial.postgresql.sql')

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


def sources():
    for folder, _, names in os.walk(APP):
        for name in sorted(names):
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                with open(path, encoding='utf-8') as file:
                    yield os.path.relpath(path, APP), file.read()


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

    def test_every_file_is_small_and_every_import_is_django_or_standard(self):
        allowed = {'django', 'rest_framework', 'requests', 'ekklesia_sync'}
        standard = {'atexit', 'base64', 'binascii', 'collections', 'contextlib', 'datetime', 'email', 'functools',
                    'hashlib', 'hmac', 'json', 'logging', 'os', 'random', 're', 'signal', 'socket', 'sys', 'threading',
                    'time', 'unicodedata', 'urllib', 'uuid'}
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
        out = StringIO()
        call_command('sqlmigrate', 'ekklesia_sync', '0001', stdout=out)
        with open(SQL, encoding='utf-8') as file:
            self.assertEqual(file.read().strip(), out.getvalue().strip())
