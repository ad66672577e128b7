import { done, edgeClient } from '@tallystick/kit/api/client.ts';
import type { components } from '@tallystick/kit/api/gen/edge.d.ts';
import { Refused, type ProblemDocument } from '@tallystick/kit/api/problem.ts';

/** The words of the edge API. */
type Schemas = components['schemas'];
export type Scan = Schemas['Scan'];
export type Reward = Schemas['Reward'];
export type Voucher = Schemas['Voucher'];
export type Quote = Schemas['Quote'];
export type QuoteRequest = Schemas['QuoteRequest'];
export type Sale = Schemas['Sale'];
export type Status = Schemas['Status'];
export type Cashier = Schemas['Cashier'];
export type Day = Schemas['Day'];
export type DayClose = Schemas['DayClose'];
export type DayFigures = Schemas['DayFigures'];
export type ReturnRequest = Schemas['ReturnRequest'];
export type ApprovalRequest = Schemas['ApprovalRequest'];
export type EnrolledMember = Schemas['EnrolledMember'];

const client = edgeClient('/till/');

const once = (key: string) => ({ header: { 'Idempotency-Key': key } });

/** The calls of the agent that this page makes. Each throws Refused. */
export const agent = {
  status: () => done(client.GET('/v1/status')),
  scan: (code: string) => done(client.POST('/v1/scan', { body: { code } })),
  quote: (body: QuoteRequest) => done(client.POST('/v1/quotes', { body })),
  commit: (key: string, body: Schemas['SaleRequest']) => done(client.POST('/v1/sales', { params: once(key), body })),
  saleByKey: async (key: string): Promise<Sale | undefined> =>
    (await done(client.GET('/v1/sales', { params: { query: { key } } }))).sales[0],
  sale: (id: string) => done(client.GET('/v1/sales/{id}', { params: { path: { id } } })),
  sales: (query: { pos_receipt?: string; business_date?: string; limit?: number; cursor?: string }) =>
    done(client.GET('/v1/sales', { params: { query } })),
  undo: (key: string, id: string, approval?: string) =>
    done(
      client.POST('/v1/sales/{id}/void', {
        params: { ...once(key), path: { id } },
        body: approval ? { approval } : {},
      }),
    ),
  takeBack: (key: string, body: ReturnRequest) => done(client.POST('/v1/returns', { params: once(key), body })),
  claim: (key: string, receipt_code: string, code: string) =>
    done(client.POST('/v1/claims', { params: once(key), body: { receipt_code, code } })),
  enrol: (key: string) => done(client.POST('/v1/members', { params: once(key), body: {} })),
  day: () => done(client.GET('/v1/day')),
  closeDay: (key: string, business_date: string) =>
    done(client.POST('/v1/day/close', { params: once(key), body: { business_date } })),
  closedDays: () => done(client.GET('/v1/days', { params: { query: { limit: 14 } } })),
  printer: () => done(client.GET('/v1/printer')),
  print: (seq: number, language: 'en' | 'tr' | 'pl', original: boolean) =>
    done(client.POST('/v1/receipts/{seq}/print', { params: { path: { seq } }, body: { language, original } })),
  cashiers: () => done(client.GET('/v1/cashiers')),
  session: () => done(client.GET('/v1/session')),
  signIn: (cashier: string, pin: string, training: boolean) =>
    done(client.POST('/v1/sign-in', { body: { cashier, pin, ...(training ? { training } : {}) } })),
  signOut: () => done(client.POST('/v1/sign-out', { body: {} })),
  approve: (body: ApprovalRequest) => done(client.POST('/v1/approvals', { body })),
};

/** problemOf is what a failed call said; anything that is no answer is a bug and is thrown on. */
export function problemOf(err: unknown): ProblemDocument {
  if (err instanceof Refused) return err.problem;
  throw err;
}
