/** The suite of files of text in Node; in a browser it is run by test/browser/texts.test.ts. */
import { textSuite } from './texts.suite.js'

textSuite([0, 1, 2, 3])
