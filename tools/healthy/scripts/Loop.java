// SPDX-License-Identifier: GPL-2.0-only
import java.util.HashMap;
import java.util.Map;

public class Loop {
	public static void main(String[] arguments) throws Exception {
		Map<Integer, String> cache = new HashMap<>();
		for (int i = 0;; i++) {
			StringBuilder text = new StringBuilder();
			for (int n = 0; n < i % 50; n++)
				text.append('x').append(n).append(',');
			cache.put(i % 5000, text.toString());
			if (i % 200 == 0)
				Thread.sleep(10);
		}
	}
}
