import type { Catalog } from '@tallystick/kit/i18n/catalog.ts';
import type { people as en } from '../en/people.ts';

export const people: Catalog<typeof en> = {
  people: {
    text: 'Merkeze kimlerin giriş yapabileceği. Dışarıda bırakılan kişinin yaptıkları adıyla kalır.',
    noRight: 'Kimin giriş yapabileceğini yalnızca yöneticiler belirler.',
    add: 'Kişi ekle',
    password: 'Yeni parola',
    letIn: 'Yeniden kabul et',
    role: 'Rolü değiştir',
    shutOut: 'Dışarıda bırak',
    shutOutConfirm: '{name} dışarıda bırakılsın mı? Bütün oturumları hemen kapanır ve bir daha giriş yapamaz.',
    isOut: '{name} artık giriş yapamaz.',
    changed: '{name} için yeni rol: {role}.',
    in: 'giriş yapabilir',
    out: 'dışarıda',
    you: 'siz',
    mine: 'En az 12 karakter. Burada da dahil, bütün oturumlarınız kapanır.',
    passwordHint: 'En az 12 karakter. Eski parolayla açılmış oturumlar kapanır.',
    given: 'Bu parola bir kez gösterilir. Kişiye başka kimsenin duymayacağı bir yoldan iletin.',
    does: {
      administrator: 'Her şeyi yapabilir.',
      finance: 'Politikayı belirler, istisnalara karar verir, kayıpları onaylar.',
      marketing: 'Kuralları, ödülleri ve kuponları değiştirir.',
      operations: 'Mağazalarla, terminallerle ve kasiyerlerle ilgilenir; istisnaları izler.',
      support: 'Üyelere yardım eder: düzeltir, engeller, yeniden çıkarır; istisnaları izler.',
    },
  },
};
