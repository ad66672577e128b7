// The stories of the till's page. The Go test TestTillPage sets the stage and runs them.
import { tell } from './browser.mjs';
import { closeDay, joinOnThePhone, newMember, returnLines, voidSale } from './tillafter.mjs';
import { badScans, badText } from './tillbad.mjs';
import { cashiers, training, typedNumber } from './tillcashiers.mjs';
import {
  doubleClick,
  killedAfterTheSale,
  killedBeforeTheSale,
  pageWithoutItsAgent,
  reloadedInTheSale,
} from './tilllost.mjs';
import { cameraSale, cashlessHands, offlineSale, receiptNeeded, wedgeSale } from './tillsales.mjs';
import { dark, everybody } from './tilltour.mjs';
import { giftedVoucher } from './tillvouchers.mjs';

// In this order: a day that is closed and cashiers who were hired stay for what follows.
await tell({
  wedgeSale,
  cashlessHands,
  receiptNeeded,
  cameraSale,
  offlineSale,
  killedAfterTheSale,
  killedBeforeTheSale,
  reloadedInTheSale,
  doubleClick,
  pageWithoutItsAgent,
  voidSale,
  returnLines,
  giftedVoucher,
  newMember,
  joinOnThePhone,
  badScans,
  badText,
  everybody,
  dark,
  closeDay,
  cashiers,
  typedNumber,
  training,
});
