/**
 * What a run found, for people and for programs: tables (terminal, CSV), a log of finished trials
 * (JSON lines), charts as data that draw themselves as PNG and as parts of one self-contained
 * {@link org.posenc.report.HtmlPage}. This room knows numbers, not tensors.
 */
package org.posenc.report;
