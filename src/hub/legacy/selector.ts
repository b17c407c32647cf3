import { checkMatcherText, type Matcher } from '../matching/matcher.js';
import { isUriTemplate } from '../matching/uri-template.js';

/**
 * The matcher that a topic selector stands for: the wildcard, the topic itself, or a URI Template, which matches its own
 * text too (draft-dunglas-mercure-07, section 2).
 *
 * @throws HubError `matcher-too-long` or `matcher-invalid`
 */
export function matcherOfSelector(selector: string): Matcher {
  checkMatcherText(selector);
  return { type: isUriTemplate(selector) ? 'uritemplate' : 'exact', pattern: selector };
}
