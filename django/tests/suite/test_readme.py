import os
import re
from unittest import TestCase

from ekklesia_sync.conf import DEFAULTS
from suite.contract_files import names, read
from suite.test_old_versions import APP, sources


def readme():
    with open(os.path.join(APP, '..', 'README.md'), encoding='utf-8') as file:
        return file.read()


class Readme(TestCase):
    def test_every_setting_is_in_the_table(self):
        table = readme().split('## Settings')[1].split('## Commands')[0]
        self.assertEqual([name for name in DEFAULTS if '`{}`'.format(name) not in table], [])

    def test_every_check_and_every_error_code_is_explained(self):
        text, code = readme(), dict(sources())
        for found in re.findall(r"id='ekklesia_sync\.([EW]\d{3})'", code['checks.py']):
            self.assertIn('`{}`'.format(found), text)
        codes = set(re.findall(r"ChangeError\(\s*'(\w+)'", ' '.join(code.values()))) | {'internal'}
        self.assertGreater(len(codes), 9)
        for found in codes:
            self.assertIn('`{}`'.format(found), text)
        items = read('schemas/apply-answer.json')['properties']['results']['items']
        self.assertEqual(set(items['properties']['code']['enum']), codes)

    def test_every_command_is_in_the_table(self):
        folder = os.path.join(APP, 'management', 'commands')
        for name in os.listdir(folder):
            if name.endswith('.py') and name != '__init__.py':
                self.assertIn('`' + name[:-3], readme())

    def test_every_contract_file_is_valid_json_and_named(self):
        for name in names('schemas'):
            self.assertIn('title', read('schemas/' + name))
        for name in names('vectors'):
            self.assertIn('about', read('vectors/' + name))
