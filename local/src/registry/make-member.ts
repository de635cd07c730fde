import { below, birthdayOf, fraction, pick } from './kennitalas.ts';
import type { ContactInfo, ForeignAddress, LocalAddress, WireMember } from './wire-member.ts';

const FIRST_JOIN = Date.UTC(2013, 0, 1);
const JOIN_MINUTES = (Date.UTC(2026, 0, 1) - FIRST_JOIN) / 60_000;

/**
 * A made-up member, a function of the seed, the row and its number alone: nothing has to be kept in memory for a
 * member that nobody changed. `ssn` is the number as the registry spells it.
 */
export const makeMember = (seed: number, index: number, kennitala: string, ssn: string): WireMember => {
  const at = (salt: number): number => fraction(seed, index, salt);
  const gender = at(100) < 0.01 ? 0 : at(100) < 0.02 ? 3 : at(100) < 0.51 ? 1 : 2;
  return {
    id: index + 1,
    ssn,
    name: makeName(seed, index, gender),
    birthday: birthdayOf(kennitala),
    gender,
    housing_situation: below(7, seed, index, 101),
    reachable: at(102) < 0.8,
    groupable: at(103) < 0.6,
    date_joined: new Date(FIRST_JOIN + below(JOIN_MINUTES, seed, index, 104) * 60_000).toISOString(),
    contact_info: makeContactInfo(seed, index),
    local_address: at(105) < 0.95 ? makeLocalAddress(seed, index) : null,
    foreign_addresses: at(106) < 0.05 ? [makeForeignAddress(seed, index)] : [],
    unions: at(107) < 0.3 ? [{ name: pick(UNIONS, seed, index, 108) }] : [],
    titles: at(109) < 0.04 ? [{ name: pick(TITLES, seed, index, 110) }] : [],
    version: 0,
  };
};

const makeName = (seed: number, index: number, gender: number): string => {
  const names = gender === 2 ? WOMENS_NAMES : MENS_NAMES;
  const ending = gender === 2 ? 'dóttir' : gender === 1 ? 'son' : 'bur';
  const first = pick(names, seed, index, 120);
  const second = pick(names, seed, index, 121);
  const middle = second !== first && fraction(seed, index, 122) < 0.5 ? ` ${second}` : '';
  return `${first}${middle} ${pick(FATHERS, seed, index, 123)}${ending}`;
};

/** `.example` is reserved for documentation: no letter can reach anybody. Phones all start with 555. */
const makeContactInfo = (seed: number, index: number): ContactInfo => {
  const phone = `555${String(below(10_000, seed, index, 130)).padStart(4, '0')}`;
  const spelling = fraction(seed, index, 131);
  return {
    email: fraction(seed, index, 132) < 0.93 ? `felagi.${index + 1}@postur.example` : '',
    phone:
      spelling < 0.06
        ? ''
        : spelling < 0.1
          ? `+354 ${phone}`
          : spelling < 0.14
            ? `${phone.slice(0, 3)}-${phone.slice(3)}`
            : phone,
    foreign_phone: fraction(seed, index, 133) < 0.03 ? `+4555${phone.slice(1)}` : '',
    facebook: fraction(seed, index, 134) < 0.2 ? `felagi.${index + 1}` : '',
  };
};

const makeLocalAddress = (seed: number, index: number): LocalAddress => {
  const place = pick(PLACES, seed, index, 140);
  return {
    street: pick(STREETS, seed, index, 141),
    number: 1 + below(120, seed, index, 142),
    letter: fraction(seed, index, 143) < 0.15 ? pick(['A', 'B', 'C'], seed, index, 144) : '',
    postal_code: Number.parseInt(place, 10),
    city: place.slice(4),
  };
};

const makeForeignAddress = (seed: number, index: number): ForeignAddress => ({
  pk: index + 1,
  country: 1 + below(60, seed, index, 150),
  current: fraction(seed, index, 151) < 0.5,
  municipality: pick(FOREIGN_TOWNS, seed, index, 152),
  postal_code: String(1000 + below(9000, seed, index, 153)),
  address: `Storgata ${1 + below(90, seed, index, 154)}`,
});

/** Words that made-up members are put together from. Fathers' names stand in the genitive, ready for -son and -dóttir. */
type Words = readonly [string, ...string[]];
const words = (text: string, separator = ' '): Words => text.split(separator) as [string, ...string[]];

const MENS_NAMES = words(
  'Álfgrímur Bárður Dagbjartur Eilífur Finnvarður Garðar Hallvarður Ísleifur Jökull Kolskeggur Ljótur Marteinn Njörður ' +
    'Oddgeir Ragnvaldur Skarphéðinn Steinkell Tindur Úlfhéðinn Vémundur Ylfingur Þangbrandur Ægir Örnólfur',
);
const WOMENS_NAMES = words(
  'Álfdís Bergljót Dagrún Eyvör Fanney Geirþrúður Hallgerður Ísgerður Jórunn Kolfinna Ljósbrá Mjöll Nanna Oddrún ' +
    'Ragnfríður Salgerður Steinvör Tinna Unnur Vigdís Ýrr Þorgerður Æsa Öndís',
);
const FATHERS = words(
  'Álfgríms Bárðar Dagbjarts Eilífs Finnvarðar Garðars Hallvarðar Ísleifs Jökuls Kolskeggs Ljóts Marteins Njarðar ' +
    'Oddgeirs Ragnvalds Skarphéðins Steinkels Tinds Úlfhéðins Vémundar Ylfings Þangbrands Ægis Örnólfs',
);
const STREETS = words(
  'Álfabrekka Birkiflöt Draumagata Eldgjárvegur Fífilbrekka Hraunteigur Jökulgata Kvistavellir Lyngbarð Mánatún ' +
    'Norðurslóð Sólarvegur Tröllagil Vindheimar Þokustígur Ölduslóð',
);
/** Each with its postal code before it. */
const PLACES = words(
  '101 Reykjavík,105 Reykjavík,107 Reykjavík,109 Reykjavík,112 Reykjavík,170 Seltjarnarnes,200 Kópavogur,210 Garðabær,' +
    '220 Hafnarfjörður,230 Reykjanesbær,270 Mosfellsbær,300 Akranes,400 Ísafjörður,550 Sauðárkrókur,600 Akureyri,' +
    '640 Húsavík,700 Egilsstaðir,740 Neskaupstaður,800 Selfoss,900 Vestmannaeyjar',
  ',',
);
const UNIONS = words(
  'Félag skýjasmiða,Samband netagerðarfólks,Stéttarfélagið Vörður,Félag ljóðalesara,Verkafélagið Hvöt',
  ',',
);
const TITLES = words('Gjaldkeri,Ritari,Trúnaðarmaður,Varaformaður,Formaður svæðisfélags', ',');
const FOREIGN_TOWNS = words('Ebeltoft Uppsala Trondheim Tórshavn Lübeck Aberdeen');
