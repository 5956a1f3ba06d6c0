/** Of the queries, in their order; queries.js has them. */
export const nexmarkIds = 'q0 q1 q2 q3 q4 q5 q6 q7 q8 q9 q11 q12 q15 q16 q17 q18 q19'.split(' ')
