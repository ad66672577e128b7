import type { Catalog } from '@tallystick/kit/i18n/catalog.ts';
import type { people as en } from '../en/people.ts';

export const people: Catalog<typeof en> = {
  people: {
    text: 'Kto może logować się do centrali. To, co ktoś zrobił, zachowuje jego nazwę także po odebraniu dostępu.',
    noRight: 'Tylko administratorzy decydują, kto może się logować.',
    add: 'Dodaj osobę',
    password: 'Nowe hasło',
    letIn: 'Wpuść ponownie',
    role: 'Zmień rolę',
    shutOut: 'Odbierz dostęp',
    shutOutConfirm: 'Odebrać dostęp: {name}? Wszystkie sesje kończą się od razu, a logowanie nie będzie możliwe.',
    isOut: '{name} nie może się już logować.',
    changed: '{name} ma inną rolę: {role}.',
    in: 'może się logować',
    out: 'bez dostępu',
    you: 'Ty',
    mine: 'Co najmniej 12 znaków. Wszystkie Twoje sesje się zakończą, także ta.',
    passwordHint: 'Co najmniej 12 znaków. Sesje otwarte starym hasłem się zakończą.',
    given: 'To hasło jest pokazywane raz. Przekaż je tej osobie drogą, której nikt inny nie pozna.',
    does: {
      administrator: 'Może wszystko.',
      finance: 'Ustala zasady, decyduje o wyjątkach i potwierdza straty.',
      marketing: 'Zmienia reguły, nagrody i kupony.',
      operations: 'Prowadzi sklepy, terminale i kasjerów; zajmuje się wyjątkami.',
      support: 'Pomaga członkom: koryguje, blokuje, wydaje ponownie; zajmuje się wyjątkami.',
    },
  },
};
