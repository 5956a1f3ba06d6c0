/**
 * The numbers of lanes that suites run on in browsers: Node has all of them, and time is short here. What is particular to a page, it is on any number: isolated pages
 * have lanes alone, those that are not have the calling thread too.
 */
declare const __ISOLATED__: boolean

export const lanesList: readonly number[] = __ISOLATED__ ? [3] : [0, 2]
/** Of what has inputs or functions of its own, which are made for each. */
export const fewLanes: readonly number[] = __ISOLATED__ ? [2] : [0, 2]
/** Of flows that run on, which wait more than they work: what is above the watermark is the same on any number. */
export const runningLanes: readonly number[] = __ISOLATED__ ? [2] : [0]
