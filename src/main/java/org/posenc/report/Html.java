package org.posenc.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;

/** Text that is safe within a page. */
final class Html {

    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private Html() {}

    /** Returns a text for use between tags and within quoted attributes. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (char c : text.toCharArray()) {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(c);
            }
        }
        return escaped.toString();
    }

    /**
     * Returns data for use within a script element. Gson writes the signs that could end one
     * ({@code <}, {@code >}, {@code &}) and the line separators of JavaScript as \\u escapes.
     */
    static String json(JsonElement data) {
        return GSON.toJson(data);
    }
}
