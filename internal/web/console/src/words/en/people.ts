/** Who may sign in. */
export const people = {
  people: {
    text: 'Who may sign in to head office. What somebody did keeps their name when they are shut out.',
    noRight: 'Only administrators say who may sign in.',
    add: 'Let somebody in',
    password: 'New password',
    letIn: 'Let in again',
    role: 'Change role',
    shutOut: 'Shut out',
    shutOutConfirm: 'Shut {name} out? They are signed out everywhere at once, and sign in no more.',
    isOut: '{name} signs in no more.',
    changed: '{name} has another role: {role}.',
    in: 'may sign in',
    out: 'shut out',
    you: 'you',
    mine: 'At least 12 characters. You are signed out everywhere, here too.',
    passwordHint: 'At least 12 characters. Who is signed in with the old one is signed out.',
    given: 'This password is shown once. Give it to the person by a way of which nobody else hears.',
    does: {
      administrator: 'May do everything.',
      finance: 'Sets the policy, decides on exceptions and confirms losses.',
      marketing: 'Changes rules, rewards and vouchers.',
      operations: 'Keeps stores, terminals and cashiers; looks after exceptions.',
      support: 'Helps members: adjusts, blocks, issues again; looks after exceptions.',
    } as Record<string, string>,
  },
};
