/// Model directories opened for conversations.
@NullMarked
package dev.gatun.chat;

import org.jspecify.annotations.NullMarked;
