/** The suite of files of text in a real browser, inline and on lanes. */
import { textSuite } from '../flow/texts.suite.js'

textSuite([0, 1, 2, 3])
