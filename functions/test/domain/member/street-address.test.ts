import { describe, expect, it } from 'vitest';
import { parseStreetAddress, withHouseNumber } from '../../../src/domain/member/addresses.ts';

describe('a street and a house number in one text', () => {
  it.each([
    ['Laugavegur 1', 'Laugavegur', 1, ''],
    ['Laugavegur 12a', 'Laugavegur', 12, 'a'],
    ['Laugavegur 12 A', 'Laugavegur', 12, 'A'],
    [' Laugavegur  1 ', 'Laugavegur', 1, ''],
    ['Efri-Hóll 3', 'Efri-Hóll', 3, ''],
    ['Stóra Tunga 10', 'Stóra Tunga', 10, ''],
    ['Pósthólf 8123', 'Pósthólf', 8123, ''],
  ])('splits %j', (text, street, number, letter) => {
    expect(parseStreetAddress(text)).toEqual({ street, number, letter });
  });

  it.each([
    'Laugavegur',
    'Laugavegur 1-3',
    'Laugavegur 1, 2. hæð',
    'Laugavegur 1 íbúð 203',
    'Laugavegur 1ab',
    'Laugavegur 0',
    'Laugavegur 007',
    'Laugavegur 123456',
    '2. gata 5',
    '12',
    '',
  ])('leaves %j whole', (text) => {
    expect(parseStreetAddress(text)).toEqual({ street: text, number: null, letter: '' });
  });
});

describe('a house number beside its street', () => {
  it.each([
    [1, { street: 'Gata', number: 1, letter: 'B' }],
    ['12', { street: 'Gata', number: 12, letter: 'B' }],
    [' 12 ', { street: 'Gata', number: 12, letter: 'B' }],
    ['', { street: 'Gata', number: null, letter: 'B' }],
    ['1-3', { street: 'Gata 1-3', number: null, letter: 'B' }],
    ['007', { street: 'Gata 007', number: null, letter: 'B' }],
  ] as const)('reads %j', (number, expected) => {
    expect(withHouseNumber('Gata', number, 'B')).toEqual(expected);
  });

  it('alone becomes the street where it is no number', () => {
    expect(withHouseNumber('', ' 1-3 ', '')).toEqual({ street: '1-3', number: null, letter: '' });
  });
});
