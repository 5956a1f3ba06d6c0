/** How the columns of both sides of a join are called in a condition on a pair of rows: after the side's letter, so that no two clash. */
export const LEFT = 'l.'
export const RIGHT = 'r.'
