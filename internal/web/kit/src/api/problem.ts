/** ProblemDocument is an error as both APIs send it (RFC 9457). */
export interface ProblemDocument {
  code: string;
  status: number;
  title: string;
  say?: string;
  detail?: string;
  fields?: Record<string, string>;
}

/** The code of an answer that never came: the network or the other side is away. */
export const unreachable = 'unreachable';

/** Refused is what every failed call throws: the problem that came back, or `unreachable`. */
export class Refused extends Error {
  constructor(readonly problem: ProblemDocument) {
    super(`${problem.code}: ${problem.detail ?? problem.title}`);
    this.name = 'Refused';
  }

  get code(): string {
    return this.problem.code;
  }

  /** Whether nobody knows what happened, so that the same call must be sent again with the same key. */
  get unknown(): boolean {
    return this.code === unreachable || this.problem.status >= 500;
  }
}

export function isProblem(value: unknown): value is ProblemDocument {
  return typeof value === 'object' && value !== null && typeof (value as ProblemDocument).code === 'string';
}
