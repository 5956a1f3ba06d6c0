/**
 * The numbers of lanes that suites run on in browsers: Node has all of them, and time is short here. What is particular to a page, it is on any number; so each kind of
 * page has the calling thread and one number of lanes of its own, and pages that are not isolated have one lane in the calling thread's place where the isolated ones have that.
 */
declare const __ISOLATED__: boolean

export const lanesList: readonly number[] = __ISOLATED__ ? [0, 3] : [0, 2]
export const moreLanes: readonly number[] = __ISOLATED__ ? [0, 3] : [1, 2]
/** Of flows that run on, which wait more than they work: what is above the watermark is the same on any number. */
export const runningLanes: readonly number[] = __ISOLATED__ ? [2] : [0]
